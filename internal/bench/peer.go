package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// peer is another gateway, to be measured in the proxy's place. It is sent what Elumenta sends to the provider, and sends that on.
type peer struct {
	name    string
	install []string // makes what command starts, once
	command func(port string) []string
	headers func(upstream string) []string // what each request says besides
}

var peers = []peer{{
	name:    "portkey",
	install: []string{"scripts/portkey-gateway", "--install"},
	command: func(port string) []string { return []string{"scripts/portkey-gateway", "--port=" + port, "--headless"} },
	headers: func(upstream string) []string {
		return []string{"x-portkey-provider: openai", "x-portkey-custom-host: http://" + upstream + "/v1"}
	},
}}

func peerOf(name string) (peer, error) {
	var names []string
	for _, p := range peers {
		if p.name == name {
			return p, nil
		}
		names = append(names, p.name)
	}
	return peer{}, fmt.Errorf("there is no peer %q: %s", name, strings.Join(names, ", "))
}

// startPeer starts a gateway and has the direct requests made for it.
func (b *bench) startPeer(ctx context.Context, direct *measured) error {
	p, err := peerOf(b.peer)
	if err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, p.install[0], p.install[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(p.install, " "), err, out)
	}
	addr, err := freeAddr(ctx)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	headers := p.headers(b.provider.addr())
	for _, list := range [][][]byte{direct.whole, direct.stream} {
		for i := range list {
			list[i] = withHeaders(list[i], headers...)
		}
	}
	log := filepath.Join(b.dir, p.name+".log")
	if direct.process, err = spawn(ctx, b.pinned, log, addr, []string{"NODE_ENV=production"}, p.command(port)...); err != nil {
		return err
	}
	direct.peer = true
	if err := direct.answered(ctx, direct.whole[0]); err != nil {
		said, _ := os.ReadFile(filepath.Clean(log))
		return fmt.Errorf("%w\n%s", errors.Join(err, direct.stop()), said)
	}
	memory, err := direct.resident()
	if err != nil {
		return err
	}
	b.printf("%s: %.1f MiB after its first answer\n", p.name, mib(memory))
	return nil
}

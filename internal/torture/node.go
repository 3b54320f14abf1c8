package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// node is one server: a process that is killed and started again under the same address.
type node struct {
	index            int
	binary, addr     string
	config, database string
	log              string
	clock            *setClock
	record           *record
	atAnswer         atomic.Bool   // kill it as soon as a client has seen an answer to its end
	killed           chan struct{} // takes one when that has happened

	mu    sync.Mutex
	cmd   *exec.Cmd     // nil while none runs
	ended chan struct{} // closed when the process has ended
}

// newNode takes an address for a node.
func newNode(ctx context.Context, dir, binary, database string, index int, config string, rec *record) (*node, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &node{
		index: index, binary: binary, database: database, addr: l.Addr().String(), killed: make(chan struct{}, 1), record: rec,
		config: filepath.Join(dir, fmt.Sprintf("node-%d.toml", index)), log: filepath.Join(dir, fmt.Sprintf("node-%d.log", index)),
	}
	if err := errors.Join(l.Close(), os.WriteFile(n.config, []byte(config), 0o600)); err != nil {
		return nil, err
	}
	n.clock, err = newClock(dir, index)
	return n, err
}

// command is one of the program's on this node's database.
func (n *node) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, n.binary, args...)
	cmd.Env = append(os.Environ(), "ELUMENTA_TORTURE_CLOCK="+n.clock.path, "ELUMENTA_DATABASE="+n.database, "ELUMENTA_CONFIG="+n.config)
	return cmd
}

// start starts the program and waits until it is ready, trying again as a supervisor would while its database is away.
func (n *node) start(ctx context.Context) error {
	for {
		ended, err := n.launch(ctx)
		if err != nil {
			return err
		}
		if err = n.ready(ctx, ended); err == nil {
			return nil
		}
		n.kill("")
		if !pause(ctx, 100*time.Millisecond) {
			return fmt.Errorf("node %d does not start: %w; its log ends:\n%s", n.index, err, tail(n.log, 2000))
		}
	}
}

func (n *node) launch(ctx context.Context) (ended chan struct{}, err error) {
	out, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }() // the child has its own
	cmd := n.command(context.WithoutCancel(ctx), "serve", "--no-starters", "--addr", n.addr)
	cmd.Stdout, cmd.Stderr = out, out
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended = make(chan struct{})
	n.cmd, n.ended = cmd, ended
	go func() { // ends with the process
		_ = cmd.Wait() // how it ended is in cmd.ProcessState
		close(ended)
	}()
	return ended, nil
}

var errEnded = errors.New("the program has ended by itself")

func (n *node) ready(ctx context.Context, ended <-chan struct{}) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.addr+"/readyz", http.NoBody)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ended:
			return errEnded
		default:
		}
		if !pause(ctx, 5*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// kill ends the process as kill -9 does, and records that as an incident of this kind if it is not empty.
func (n *node) kill(kind eventKind) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd == nil {
		return
	}
	select {
	case <-n.ended:
		if kind != "" {
			n.record.fault(checkProgram, "node %d ended by itself, with %s; its log: %s", n.index, n.cmd.ProcessState, n.log)
		}
	default:
	}
	from := time.Now()
	_ = n.cmd.Process.Kill() // fails if it has ended
	<-n.ended
	n.cmd = nil
	if kind != "" {
		n.record.incident(incident{kind, n.index, from, time.Now()})
	}
}

// answered is told of each answer that a client saw to its end.
func (n *node) answered() {
	if n.atAnswer.CompareAndSwap(true, false) {
		n.kill(killAtAnswer)
		n.killed <- struct{}{}
	}
}

// stop ends the process as a service manager does. It must end well, and in time.
func (n *node) stop(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd == nil {
		return nil
	}
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("node %d had ended by itself: %s", n.index, n.cmd.ProcessState)
	}
	select {
	case <-n.ended:
	case <-ctx.Done():
		_ = n.cmd.Process.Kill()
		<-n.ended
	}
	state := n.cmd.ProcessState
	n.cmd = nil
	if !state.Success() {
		return fmt.Errorf("node %d ended with %s", n.index, state)
	}
	return nil
}

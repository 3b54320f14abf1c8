package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	serverCore = "0"
	loadCore   = "1"
	startLimit = 30 * time.Second
)

// pin starts the benchmark again on its own core, where the system can do that. It says whether it runs pinned, and how
// many cores the machine has.
func pin() (pinned bool, cores int, err error) {
	if cores, err := strconv.Atoi(os.Getenv("BENCH_CORES")); err == nil {
		return true, cores, nil
	}
	taskset, _ := exec.LookPath("taskset")
	if taskset == "" || runtime.NumCPU() < 2 {
		return false, runtime.NumCPU(), nil
	}
	self, err := os.Executable()
	if err != nil {
		return false, 0, err
	}
	env := append(os.Environ(), fmt.Sprintf("BENCH_CORES=%d", runtime.NumCPU()), "GOMAXPROCS=1")
	return false, 0, syscall.Exec(taskset, append([]string{"taskset", "-c", loadCore, self}, os.Args[1:]...), env)
}

// process is a server under test: alone on its core.
type process struct {
	cmd  *exec.Cmd
	addr string
	peer bool // another gateway, which may end by the signal
}

// spawn starts a program on the server's core and does not wait for it. Its output goes to the file log.
func spawn(ctx context.Context, pinned bool, log, addr string, env []string, args ...string) (*process, error) {
	if pinned {
		args = append([]string{"taskset", "-c", serverCore}, args...)
	}
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }() // the child has its own
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Env = append(cmd.Env, env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &process{cmd: cmd, addr: addr}, nil
}

// stop ends the program and waits for it.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	err := p.cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && p.peer && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGTERM { //nolint:forcetypeassert // it is one on Unix
		return nil
	}
	return err
}

// answered tries to connect, a millisecond apart, until the server listens, and then asks once.
func (p *process) answered(ctx context.Context, req []byte) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		conn, err := dial(ctx, p.addr)
		if err == nil {
			_ = conn.Close()
			_, err := once(ctx, p.addr, req)
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("nothing listens on %s: %w", p.addr, err)
		}
	}
}

// resident is the memory that the process holds, in bytes.
func (p *process) resident() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(status) {
		if value, ok := bytes.CutPrefix(line, []byte("VmRSS:")); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(string(value)), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("no VmRSS in /proc")
}

// processorTime is what a process has used, by its id or "self"; zero where the system does not say.
func processorTime(pid string) time.Duration {
	const ticksPerSecond = 100 // USER_HZ, on every Linux that Go runs on
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticksPerSecond
}

// freeAddr finds a port of the loopback that nobody listens on.
func freeAddr(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// machineLoad is how many programs the machine was running at a time in the last minute, as the system counts it.
func machineLoad() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	load, _, _ := strings.Cut(string(b), " ")
	return load
}

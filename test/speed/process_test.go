package speed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait: far more than anything takes.
const patience = 2 * time.Minute

// process is a server that runs for a benchmark.
type process struct {
	pid string
	log string
}

// run starts a program that ends with the benchmark, and with this process however that ends.
func run(b *testing.B, dir, name, program string, args ...string) *process {
	b.Helper()
	log := filepath.Join(dir, name+".log")
	out, err := os.Create(log)
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.Env = append(os.Environ(), "LEME_HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is ended by a signal
	}()
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience / 4):
			_ = cmd.Process.Kill()
			<-ended
		}
	})
	return &process{pid: strconv.Itoa(cmd.Process.Pid), log: log}
}

// await asks until what is asked for is there.
func (p *process) await(b *testing.B, ask func(ctx context.Context) error) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask(ctx)
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			b.Fatalf("process %s never got ready: %v\n%s", p.pid, err, p.end())
		}
	}
}

// end is the last of what the process has logged.
func (p *process) end() []byte {
	raw, err := os.ReadFile(p.log)
	if err != nil {
		return []byte(err.Error())
	}
	const most = 4 << 10
	return raw[max(0, len(raw)-most):]
}

// cpu is the processor's time that the process has used so far, in user and kernel mode: fields 14 and 15 of
// /proc/PID/stat, in ticks of which Linux shows 100 a second everywhere.
func (p *process) cpu(b *testing.B) time.Duration {
	b.Helper()
	raw, err := os.ReadFile("/proc/" + p.pid + "/stat")
	if err != nil {
		b.Fatalf("%v\n%s", err, p.end())
	}
	fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:]) // from field 3 on: a name may hold blanks
	var ticks int64
	for _, n := range []int{14 - 3, 15 - 3} {
		v, err := strconv.ParseInt(string(fields[n]), 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += v
	}
	return time.Duration(ticks) * time.Second / 100
}

// memory is a figure of /proc/PID/status in megabytes: VmRSS is what is resident now, VmHWM the most that ever was.
func (p *process) memory(b *testing.B, figure string) float64 {
	b.Helper()
	raw, err := os.ReadFile("/proc/" + p.pid + "/status")
	if err != nil {
		b.Fatalf("%v\n%s", err, p.end())
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, figure+":"); ok {
			kilobytes, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kilobytes / 1024
		}
	}
	b.Fatalf("process %s has no %s", p.pid, figure)
	return 0
}

// forgetPeak lets VmHWM begin anew at what is resident now.
func (p *process) forgetPeak(b *testing.B) {
	b.Helper()
	err := os.WriteFile("/proc/"+p.pid+"/clear_refs", []byte("5"), 0)
	if err != nil && !errors.Is(err, os.ErrPermission) {
		b.Fatal(fmt.Errorf("forgetting the peak of process %s: %w", p.pid, err))
	}
}

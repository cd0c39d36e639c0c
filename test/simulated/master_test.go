package simulated

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"leme/test/loopback"
)

var built = flag.String("leme", "", "a leme to measure, instead of building one")

// master is a server in a process of its own, as its memory is to be known.
type master struct {
	pid    int
	log    string
	config *rest.Config
}

// startMaster starts a server that ends with the benchmark.
func startMaster(b *testing.B) *master {
	b.Helper()
	dir := b.TempDir()
	m := &master{log: filepath.Join(dir, "leme.log")}
	out, err := os.Create(m.log)
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	address := loopback.Address(b)
	cmd := exec.Command(program(b), "server", "--listen", address, "--advertise", "127.0.0.1", "--node-name", "none",
		"--metric-resolution", "24h") // simulated agents tell nothing
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.Env = append(os.Environ(), "LEME_HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	m.pid = cmd.Process.Pid
	b.Cleanup(func() {
		_ = cmd.Process.Kill() // its data go anyway
		_ = cmd.Wait()
	})
	ctx, cancel := context.WithTimeout(b.Context(), 2*patience)
	defer cancel()
	err = wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		m.config, err = clientcmd.BuildConfigFromFlags("", filepath.Join(dir, "kubeconfig"))
		if err != nil {
			return false, nil
		}
		m.config.QPS = -1
		err = kubernetes.NewForConfigOrDie(m.config).Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
		return err == nil, nil
	})
	if err != nil {
		b.Fatalf("%v\n%s", err, m.end())
	}
	return m
}

// program builds leme.
func program(b *testing.B) string {
	b.Helper()
	if *built != "" {
		return *built
	}
	out := filepath.Join(b.TempDir(), "leme")
	cmd := exec.Command("go", "build", "-trimpath", "-o", out, ".")
	cmd.Dir, cmd.Env = filepath.Join("..", ".."), append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("building leme: %v\n%s", err, output)
	}
	return out
}

// memory is the most that was ever resident, in MB.
func (m *master) memory(b *testing.B) float64 {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.pid))
	if err != nil {
		b.Fatalf("%v\n%s", err, m.end())
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kilobytes / 1000
		}
	}
	b.Fatal("the kernel does not tell how much memory the server has")
	return 0
}

// end is the last of what the server has logged.
func (m *master) end() string {
	raw, err := os.ReadFile(m.log)
	if err != nil {
		return err.Error()
	}
	return string(raw[max(0, len(raw)-4<<10):])
}

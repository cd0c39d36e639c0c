package test

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// TestDashboard opens the page behind `leme proxy` in a real browser.
func TestDashboard(t *testing.T) {
	t.Parallel()
	c, namespace := sharedCluster(t)
	pod := deployHello(t, c, namespace)
	ports, err := freePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	proxy := c.command(ctx, "proxy", "--port", fmt.Sprint(ports[0]))
	out, err := proxy.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	defer proxy.Wait() //nolint:errcheck // it is ended by the test
	defer cancel()
	address := fmt.Sprintf("127.0.0.1:%d", ports[0])
	if lines := bufio.NewScanner(out); !lines.Scan() || lines.Text() != "Starting to serve on "+address {
		t.Fatalf("leme proxy printed %q", lines.Text())
	}
	var page string
	eventually(t, "a page that shows the node and the pod", func() bool {
		dom, err := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
			"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
			"--user-data-dir="+t.TempDir(), "--virtual-time-budget=3000", "--dump-dom", "http://"+address+"/ui").Output()
		page = string(dom)
		return err == nil && strings.Contains(page, pod) && strings.Contains(page, c.node)
	})
	if !strings.Contains(page, "Running") {
		t.Errorf("the page shows no state:\n%s", page)
	}
}

// Command budget runs the benchmarks that compare Leme with others on this machine, shows them as they come, and ends
// with a table of what was measured beside what docs/performance.md allows:
//
//	go run ./test/budget
//
// A benchmark that fails or does not run is an error. A missed budget is shown and is none: it may be the machine.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "budget:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	measured, err := benchmarks(ctx, out)
	if err != nil {
		return err
	}
	fmt.Fprintln(out)
	return write(out, rows, measured)
}

// benchmarks runs them all once, one after the other; they repeat what they measure by themselves.
func benchmarks(ctx context.Context, out io.Writer) (results, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", ".", "-benchtime", "1x", "-timeout", "60m",
		"leme/test", "leme/registry/pull", "leme/test/speed", "leme/test/simulated")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	measured, readErr := read(io.TeeReader(pipe, out))
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("running the benchmarks: %w", err)
	}
	return measured, readErr
}

// read takes in what `go test -bench` prints.
func read(in io.Reader) (results, error) {
	measured := results{}
	lines := bufio.NewScanner(in)
	var all []error
	for lines.Scan() {
		all = append(all, measured.take(lines.Text()))
	}
	return measured, errors.Join(append(all, lines.Err())...)
}

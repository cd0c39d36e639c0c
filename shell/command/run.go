package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/klog/v2"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

// Options say how a command runs.
type Options struct {
	Streams genericiooptions.IOStreams
	Parts   Parts
	Scope   Scope
	Session Session // nil outside a session
}

// CodeInterrupted is the exit code of a command that Ctrl-C ended, as shells have it.
const CodeInterrupted = 130

// Run runs one command and returns its exit code: kubectl's own, 1 after an error, which it has written to
// o.Streams.ErrOut, and CodeInterrupted when ctx ended it.
func Run(ctx context.Context, args []string, o Options) (code int) {
	err := execute(ctx, args, o)
	if err == nil {
		return 0
	}
	if ctx.Err() != nil && errors.Is(context.Cause(ctx), ErrInterrupted) {
		return CodeInterrupted
	}
	var failed *failure
	if !errors.As(err, &failed) {
		failed = &failure{message: err.Error(), code: 1}
	}
	if text := sentence(failed.message); text != "" {
		fmt.Fprintln(o.Streams.ErrOut, text)
	}
	return failed.code
}

// ErrInterrupted is the cause of a context that Ctrl-C cancelled.
var ErrInterrupted = errors.New("interrupted")

// ModeOf says where a prompt should run this call. Calls that cannot be parsed run in process, and fail there.
func ModeOf(args []string, o Options) Mode {
	o.Streams = genericiooptions.NewTestIOStreamsDiscard()
	root, entry, err := build(context.Background(), args, o)
	if err != nil || entry.Mode == nil {
		return InProcess
	}
	leaf, rest, err := root.Find(args)
	if err != nil || leaf.ParseFlags(rest) != nil || isSet(leaf, "help") {
		return InProcess
	}
	return entry.Mode(leaf)
}

func execute(ctx context.Context, args []string, o Options) error {
	Quiet()
	defer Quiet()
	var end ending
	cmdutil.BehaviorOnFatal(end.fatal)
	return end.of(func() error {
		root, _, err := build(ctx, args, o)
		if err != nil {
			return err
		}
		return root.ExecuteContext(ctx)
	})
}

// Quiet keeps the client library's log off the screen; -v turns it on for one command.
func Quiet() {
	klog.SetLogger(logr.Discard())
	var silent klog.Level
	_ = silent.Set("0")
}

// verbosity is the -v flag. Setting it turns the client library's log on.
type verbosity struct{ klog.Level }

func (v *verbosity) Set(level string) error {
	if err := v.Level.Set(level); err != nil {
		return fmt.Errorf("want a number from 0 to 10, not %q", level)
	}
	klog.ClearLogger()
	return nil
}

func (v *verbosity) Type() string { return "level" }

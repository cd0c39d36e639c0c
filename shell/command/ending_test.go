package command

import (
	"errors"
	"strings"
	"testing"

	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

func TestEnding(t *testing.T) {
	other := errors.New("what came of it")
	for name, run := range map[string]func() error{
		"where it runs": func() error { return reported(errors.New("no tar")) },
		"on another goroutine": func() error {
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				cmdutil.CheckErr(errors.New("no tar"))
			}()
			<-ended
			return other
		},
		"twice": func() error {
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				cmdutil.CheckErr(errors.New("no tar"))
			}()
			<-ended
			return reported(other)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var end ending
			cmdutil.BehaviorOnFatal(end.fatal)
			defer cmdutil.DefaultBehaviorOnFatal()
			var failed *failure
			if err := end.of(run); !errors.As(err, &failed) || failed.message != "error: no tar" || failed.code != 1 {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("by itself", func(t *testing.T) {
		var end ending
		if err := end.of(func() error { return other }); !errors.Is(err, other) {
			t.Errorf("%v", err)
		}
	})
	t.Run("with a panic", func(t *testing.T) {
		defer func() {
			if r, ok := recover().(string); !ok || !strings.HasPrefix(r, "oh\n") || !strings.Contains(r, "ending_test.go") {
				t.Errorf("recovered %v", r)
			}
		}()
		var end ending
		_ = end.of(func() error { panic("oh") })
	})
}

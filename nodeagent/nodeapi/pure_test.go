package nodeapi

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"

	"leme/nodeagent/pod"
)

func TestStreamOptions(t *testing.T) {
	for query, want := range map[string]*remotecommand.Options{
		"input=1&output=1&error=1":            {Stdin: true, Stdout: true, Stderr: true},
		"stdin=true&stdout=true&stderr=false": {Stdin: true, Stdout: true},
		"output=1&error=1&tty=1":              {Stdout: true, TTY: true},
		"tty=true":                            nil,
		"":                                    nil,
	} {
		q, _ := url.ParseQuery(query)
		got, err := streamOptions(q)
		if !reflect.DeepEqual(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%q: %+v, %v", query, got, err)
		}
	}
}

func TestSessionStatus(t *testing.T) {
	if s := sessionStatus(exitError(0, nil)); s.Status != metav1.StatusSuccess {
		t.Errorf("%+v", s)
	}
	s := sessionStatus(fmt.Errorf("at the end: %w", exitError(3, nil)))
	if s.Status != metav1.StatusFailure || s.Reason != "NonZeroExitCode" || s.Details.Causes[0] != (metav1.StatusCause{Type: "ExitCode", Message: "3"}) {
		t.Errorf("%+v", s)
	}
	if s := sessionStatus(exitError(0, errors.New("no engine"))); s.Reason != metav1.StatusReasonInternalError || s.Code != 500 {
		t.Errorf("%+v", s)
	}
}

func TestRatesNeedTwoMoments(t *testing.T) {
	c := cpuRates{}
	now := time.Now()
	at := func(seconds int, cpu time.Duration) []usage {
		return []usage{{pod.Container{ID: "a"}, pod.Stats{Time: now.Add(time.Duration(seconds) * time.Second), CPU: cpu}}}
	}
	if rates := c.update(at(0, time.Second)); len(rates) != 0 {
		t.Errorf("a rate of one moment: %v", rates)
	}
	if rates := c.update(at(2, 2*time.Second)); rates["a"] != 500_000_000 {
		t.Errorf("half a processor is %v", rates)
	}
	if rates := c.update(at(3, 0)); len(rates) != 0 {
		t.Errorf("a rate of what began anew: %v", rates)
	}
}

func TestMachineFigures(t *testing.T) {
	if got := busy("cpu  100 20 30 4000 50 6 7 8 9 10\ncpu0 1 1 1 1\n"); got != 1710*time.Millisecond {
		t.Errorf("busy %s", got)
	}
	if got := figures("MemTotal:       16 kB\nNote: none\n", ":"); got["MemTotal"] != 16 || len(got) != 1 {
		t.Errorf("%v", got)
	}
	s, err := readMachine(time.Now())
	if err != nil || s.CPU <= 0 || s.WorkingSet == 0 || s.WorkingSet > s.MemoryLimit {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestDialingAProcessThatIsGone(t *testing.T) {
	if _, err := dialInNetworkOf(context.Background(), 1<<30, "80"); err == nil {
		t.Error("there was a connection")
	}
}

package event

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// sink keeps events in memory.
type sink struct {
	mu     sync.Mutex
	events map[string]*corev1.Event
	writes int
}

func (s *sink) Create(_ context.Context, e *corev1.Event) (*corev1.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	s.events[e.Name] = e.DeepCopy()
	return e, nil
}

func (s *sink) Update(_ context.Context, _, name string, mutate func(*corev1.Event) error) (*corev1.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.events[name]
	if !ok {
		return nil, apierrors.NewNotFound(corev1.Resource("events"), name)
	}
	s.writes++
	if err := mutate(e); err != nil {
		return nil, err
	}
	return e.DeepCopy(), nil
}

func testPod(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(name)}}
}

// recorded runs a recorder for as long as it has something to write, and returns what it has written.
func recorded(t *testing.T, say func(*Source), during func(*sink)) *sink {
	t.Helper()
	s := &sink{events: make(map[string]*corev1.Event)}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := NewRecorder(s, "server-1")
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		say(r.From("tester"))
		synctest.Wait()
		if during != nil {
			during(s)
			say(r.From("tester"))
			synctest.Wait()
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *sink) only(t *testing.T) *corev1.Event {
	t.Helper()
	if len(s.events) != 1 {
		t.Fatalf("%d events: %v", len(s.events), s.events)
	}
	for _, e := range s.events {
		return e
	}
	return nil
}

func TestEventSaysWhatAboutWhat(t *testing.T) {
	e := recorded(t, func(s *Source) { s.Warning(testPod("p"), "Odd", "seen %d times", 2) }, nil).only(t)
	if e.Namespace != "shop" || !strings.HasPrefix(e.Name, "p.") || e.InvolvedObject.Kind != "Pod" || e.InvolvedObject.UID != "p" ||
		e.Type != corev1.EventTypeWarning || e.Reason != "Odd" || e.Message != "seen 2 times" || e.Count != 1 ||
		e.Source.Component != "tester" || e.ReportingController != "tester" || e.FirstTimestamp.IsZero() {
		t.Errorf("got %+v", e)
	}
}

func TestEventsAboutNodesAreInDefault(t *testing.T) {
	e := recorded(t, func(s *Source) { s.Normal(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n"}}, "Odd", "x") }, nil).only(t)
	if e.Namespace != metav1.NamespaceDefault {
		t.Errorf("it is in %q", e.Namespace)
	}
}

func TestRepeatedEventIsCounted(t *testing.T) {
	s := recorded(t, func(s *Source) {
		for range 5 {
			s.Normal(testPod("p"), "Again", "the same")
		}
	}, nil)
	if e := s.only(t); e.Count != 5 {
		t.Errorf("count is %d", e.Count)
	}
}

func TestCountedEventThatWasRemovedComesBack(t *testing.T) {
	e := recorded(t, func(s *Source) { s.Normal(testPod("p"), "Again", "the same") }, func(s *sink) { clear(s.events) }).only(t)
	if e.Count != 2 {
		t.Errorf("count is %d", e.Count)
	}
}

func TestOneObjectCannotFlood(t *testing.T) {
	s := recorded(t, func(s *Source) {
		for i := range 1_000 {
			s.Normal(testPod("p"), fmt.Sprint("Reason", i), "different each time")
		}
	}, nil)
	if s.writes > 50 {
		t.Errorf("%d writes about one object at once", s.writes)
	}
}

func TestRecordingNeverWaits(t *testing.T) {
	r := NewRecorder(&sink{}, "server-1") // nobody writes
	say := r.From("tester")
	for range 10 * queued {
		say.Normal(testPod("p"), "Again", "the same")
	}
	var silent *Source
	silent.Normal(testPod("p"), "Again", "the same")
}

func TestLongMessageIsCut(t *testing.T) {
	e := recorded(t, func(s *Source) { s.Normal(testPod("p"), "Long", "%s", "x"+strings.Repeat("é", 2_000)) }, nil).only(t)
	if len(e.Message) > longestMessage || !strings.HasPrefix(e.Message, "xéé") || !utf8.ValidString(e.Message) {
		t.Errorf("%d bytes: %q", len(e.Message), e.Message)
	}
}

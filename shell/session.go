package shell

import (
	"context"
	"fmt"
	"os"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes"

	"leme/shell/command"
)

// session is what lines run in: the scope chosen with `use`, the last exit code, the streams. It is the same for the
// prompt and for scripts.
type session struct {
	parts    command.Parts
	streams  genericiooptions.IOStreams
	program  string   // this program's path, for children
	terminal *os.File // handed to children; nil in a script
	home     string   // the user's, for ~
	recall   func() []string

	mu       sync.Mutex
	scope    command.Scope
	previous command.Scope
	moved    chan struct{} // closed and replaced when the scope changes

	code int  // of the last line
	done bool // exit was called
}

func newSession(parts command.Parts, streams genericiooptions.IOStreams) (*session, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	home, _ := os.UserHomeDir() // without one ~ stays as it is
	scope := command.ScopeFromEnv()
	return &session{
		parts: parts, streams: streams, program: program, home: home,
		recall: func() []string { return nil },
		scope:  scope, previous: scope, moved: make(chan struct{}),
	}, nil
}

// Scope is the context and namespace in force; changed is closed when they are no longer.
func (s *session) Scope() (scope command.Scope, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.scope, s.moved
}

func (s *session) move(to command.Scope) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if to == s.scope {
		return
	}
	s.scope, s.previous = to, s.scope
	close(s.moved)
	s.moved = make(chan struct{})
}

// Use implements command.Session.
func (s *session) Use(ctx context.Context, target command.Target) (string, error) {
	to, _ := s.Scope()
	switch {
	case target.Back:
		s.mu.Lock()
		to = s.previous
		s.mu.Unlock()
	case target.Context != "":
		to = command.Scope{Context: target.Context}
		if err := hasContext(ctx, to); err != nil {
			return "", err
		}
	default:
		to.Namespace = target.Namespace
	}
	s.move(to)
	return s.describeScope(ctx, to, target.Namespace)
}

// describeScope says what is in force, with a warning when the namespace is not there.
func (s *session) describeScope(ctx context.Context, scope command.Scope, chosen string) (string, error) {
	where := named(ctx, scope)
	text := fmt.Sprintf("context %s, namespace %s", where.Context, where.Namespace)
	if chosen == "" {
		return text, nil
	}
	config, err := command.NewClient(ctx, scope).ToRESTConfig()
	if err != nil {
		return text, nil
	}
	config.Timeout = namespaceTimeout
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return text, nil
	}
	if _, err := client.CoreV1().Namespaces().Get(ctx, chosen, metav1.GetOptions{}); apierrors.IsNotFound(err) {
		text += "\nThere is no such namespace yet: create namespace " + chosen
	}
	return text, nil
}

// History implements command.Session.
func (s *session) History() []string { return s.recall() }

// Exit implements command.Session.
func (s *session) Exit(code int) { s.code, s.done = code, true }

// LastCode implements command.Session.
func (s *session) LastCode() int { return s.code }

package pod

import "context"

// making is a sandbox that is there with its address, and starts. Containers are made for it meanwhile, which takes a
// tenth of a pod's start; they run once it does.
type making struct {
	Container
	start *sandboxStart
}

// sandboxStart is the operation that starts a sandbox.
type sandboxStart struct {
	over chan struct{} // closed at its end
	ran  string        // then: the ID of the sandbox that runs; empty when none does
}

// wait blocks until the sandbox runs. When it does not come to that, nothing is wrong with who waits: that is broken off.
func (m *making) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-m.start.over:
	}
	if m.start.ran != m.ID {
		return context.Canceled
	}
	return nil
}

// made tells the worker of the sandbox that an operation is about to start.
func (w *worker) made(c Container, s *sandboxStart) {
	w.post(func(m *mailbox) { m.making = &making{c, s} })
}

// endMaking is the end of the operation, after which nobody begins to wait for it.
func (w *worker) endMaking(s *sandboxStart, sandbox Container, err error) {
	if err == nil {
		s.ran = sandbox.ID
	}
	close(s.over)
	w.post(func(m *mailbox) { m.making = nil })
}

// expected is what containers there will be once the sandbox that is being made runs.
func (w *worker) expected() []Container {
	if w.making == nil {
		return w.view.Containers
	}
	sandbox := w.making.Container
	sandbox.State = Running
	return with(w.view.Containers, sandbox)
}

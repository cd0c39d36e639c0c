package pod

// waiter is somebody who wants to know when something is true of a pod.
type waiter struct {
	cond func(*View) bool
	done chan struct{}
}

// await gives what is closed once cond is true of the pod, or its worker has ended. cond is called by the worker.
func (w *worker) await(cond func(*View) bool) <-chan struct{} {
	done := make(chan struct{})
	w.mail.mu.Lock()
	defer w.mail.mu.Unlock()
	if w.mail.ended {
		close(done)
		return done
	}
	w.mail.waiters = append(w.mail.waiters, waiter{cond, done})
	w.nudge()
	return done
}

// serve tells those whose wait is over.
func (w *worker) serve() {
	w.mail.mu.Lock()
	defer w.mail.mu.Unlock()
	left := w.mail.waiters[:0]
	for _, one := range w.mail.waiters {
		if one.cond(&w.view) {
			close(one.done)
		} else {
			left = append(left, one)
		}
	}
	clear(w.mail.waiters[len(left):])
	w.mail.waiters = left
}

// dismiss tells all who wait that there is nothing to wait for any more.
func (w *worker) dismiss() {
	w.mail.mu.Lock()
	defer w.mail.mu.Unlock()
	w.mail.ended = true
	for _, one := range w.mail.waiters {
		close(one.done)
	}
	w.mail.waiters = nil
}

// done says that the pod has run its course, as far as the worker knows; from any goroutine.
func (w *worker) done() bool {
	w.mail.mu.Lock()
	defer w.mail.mu.Unlock()
	return w.mail.over || isTerminal(w.mail.pod.Status.Phase)
}

// finish notes that it has.
func (w *worker) finish() {
	w.mail.mu.Lock()
	defer w.mail.mu.Unlock()
	w.mail.over = true
}

// present lists the containers as last observed, from any goroutine.
func (w *worker) present() []Container {
	w.mail.mu.Lock()
	defer w.mail.mu.Unlock()
	return w.mail.containers
}

package controller

import (
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

const sideBySideLimit = 64 // writes of one reconciliation under way at once

// slowStart calls fn(0) … fn(n-1) in batches of 1, 2, 4, …, and stops after a batch in which one failed: what is
// refused (a quota, a webhook) is refused once and not n times. It returns how many calls went well.
func slowStart(n int, fn func(i int) error) (done int, err error) {
	for batch := 1; n > 0; batch *= 2 {
		size := min(batch, n)
		first := done
		ok, err := sideBySide(size, func(i int) error { return fn(first + i) })
		done += ok
		if err != nil {
			return done, err
		}
		n -= size
	}
	return done, nil
}

// sideBySide calls fn(0) … fn(n-1), several at a time, and returns how many went well and the first error.
func sideBySide(n int, fn func(i int) error) (done int, err error) {
	var g errgroup.Group
	var ok atomic.Int64
	g.SetLimit(sideBySideLimit)
	for i := range n {
		g.Go(func() error {
			if err := fn(i); err != nil {
				return err
			}
			ok.Add(1)
			return nil
		})
	}
	err = g.Wait()
	return int(ok.Load()), err
}

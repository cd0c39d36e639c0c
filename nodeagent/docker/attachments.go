package docker

import "context"

// attachments is held while the engine takes a sandbox onto the pod network or off it. Engines count a network's
// endpoints carelessly when several come or go at once, and then refuse until their restart to remove the network,
// as one that is in use, though nobody is on it.
type attachments chan struct{}

func newAttachments() attachments { return make(attachments, 1) }

func (a attachments) acquire(ctx context.Context) (release func(), err error) {
	select {
	case a <- struct{}{}:
		return func() { <-a }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

package controller

import (
	"context"
	"log/slog"
	"time"

	"leme/server/kind"
)

// resealEvery is how often is looked for what another server sealed with an older key.
const resealEvery = time.Hour

// newResealing brings Secrets under the newest key after the keys, or whether they are sealed at all, have changed.
func newResealing(e *environment) component {
	return &loop[sweep]{
		name:    "resealing",
		workers: 1,
		sources: []source[sweep]{{atStart, sweepAll}},
		reconcile: func(ctx context.Context, _ sweep) (time.Duration, error) {
			n, err := e.api.Store().Reseal(ctx, kind.Secret.GroupResource())
			if n > 0 {
				slog.Info("Secrets are sealed anew", "count", n)
			}
			return resealEvery, err
		},
	}
}

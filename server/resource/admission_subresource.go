package resource

import (
	"context"

	"leme/server/kind"
)

// subresourceCheck is a step of admission that looks at the valid writes to one subresource.
type subresourceCheck struct {
	kind *kind.Kind
	name string
	admissionStep
}

// subresourceChecks are taken in order by the writes to those subresources. The others change nothing that a step
// would look at.
var subresourceChecks = []subresourceCheck{
	{kind.Pod, "resize", limitBounds},
	{kind.Pod, "ephemeralcontainers", ephemeralSecrets},
	{kind.Pod, "ephemeralcontainers", podSecurity},
}

func (a *API) admitSubresource(ctx context.Context, w admission) error {
	for _, c := range subresourceChecks {
		if c.name != w.Subresource || c.kind.GroupResource() != w.resource() {
			continue
		}
		if err := c.admissionStep(ctx, a, w); err != nil {
			return err
		}
	}
	return nil
}

package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/network"
	"leme/nodeagent/pod"
)

// listParallel is how many containers are inspected at once.
const listParallel = 4

// Containers lists every container of ours, running or not, in no order. A container whose start failed is Exited,
// with the engine's words as its Error.
//
// One list tells of them all; what it does not say (times, exit code, PID) is asked once for each state of a
// container and kept.
func (r *Runtime) Containers(ctx context.Context) ([]pod.Container, error) {
	before := r.addresses.noted()
	all, err := r.list(ctx, r.ours())
	if err != nil {
		return nil, err
	}
	for _, id := range before {
		if !slices.ContainsFunc(all, func(c pod.Container) bool { return c.ID == id }) {
			r.releaseAddress(id)
		}
	}
	r.forgetAllBut(all)
	return all, nil
}

// PodContainers lists the containers of one pod, as Containers does.
func (r *Runtime) PodContainers(ctx context.Context, uid types.UID) ([]pod.Container, error) {
	return r.list(ctx, r.ours().Add("label", LabelUID+"="+string(uid)))
}

func (r *Runtime) list(ctx context.Context, filters client.Filters) ([]pod.Container, error) {
	list, err := r.engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return nil, fmt.Errorf("listing containers: %w", err)
	}
	all := make([]pod.Container, len(list.Items))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(listParallel)
	for i, summary := range list.Items {
		if known, ok := r.known(summary); ok {
			all[i] = known
			continue
		}
		group.Go(func() error {
			c, endpoint, err := r.inspect(groupCtx, summary.ID)
			if errdefs.IsNotFound(err) {
				return nil // removed since it was listed
			}
			if endpoint != nil {
				c = r.mend(groupCtx, c, *endpoint)
			}
			all[i] = c
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("listing containers: %w", err)
	}
	all = slices.DeleteFunc(all, func(c pod.Container) bool { return c.ID == "" })
	r.keep(all)
	return all, nil
}

// ours selects the containers of this node.
func (r *Runtime) ours() client.Filters {
	return make(client.Filters).Add("label", LabelNode+"="+r.Node)
}

func (r *Runtime) known(s container.Summary) (pod.Container, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.inspected[s.ID]
	// "created" tells nothing: it is also the state of a container whose start failed.
	return c, ok && c.State == state(s.State) && c.State != pod.Created && !r.lacksConnection(c) && !r.disconnected(c, s)
}

// disconnected says whether somebody has taken a sandbox off the network to which the engine had connected it.
func (r *Runtime) disconnected(c pod.Container, s container.Summary) bool {
	if !c.Sandbox || !c.Runs() || r.Network == nil || s.HostConfig.NetworkMode != r.Network.Name() || s.NetworkSettings == nil {
		return false
	}
	e := s.NetworkSettings.Networks[r.Network.Name()]
	return e == nil || e.IPAddress.String() != c.IP
}

// keep remembers what was observed.
func (r *Runtime) keep(all []pod.Container) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range all {
		r.inspected[c.ID] = c
	}
	r.addresses.keep(all...)
}

// forgetAllBut bounds what is remembered to the containers that are there.
func (r *Runtime) forgetAllBut(there []pod.Container) {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.inspected)
	for _, c := range there {
		r.inspected[c.ID] = c
	}
}

// forget makes the next list ask about a container again; with no ID, about all.
func (r *Runtime) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id == "" {
		clear(r.inspected)
	} else {
		delete(r.inspected, id)
	}
}

// inspect looks at one container; endpoint is nil but for sandboxes that are not the engine's to connect.
func (r *Runtime) inspect(ctx context.Context, id string) (c pod.Container, endpoint *network.Endpoint, err error) {
	result, err := r.engine.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return pod.Container{}, nil, fmt.Errorf("inspecting container: %w", err)
	}
	c = observed(result.Container)
	if e, ok := network.EndpointOf(result.Container.Config.Labels); ok && c.Sandbox {
		c.IP, endpoint = e.Address.String(), &e
	} else if c.Sandbox && c.Runs() && c.IP == "" && r.Network != nil && string(result.Container.HostConfig.NetworkMode) == r.Network.Name() {
		c.State = pod.Unknown // it is off the network, and with it the pod
	}
	return c, endpoint, nil
}

// observed is the agent's view of a container.
func observed(i container.InspectResponse) pod.Container {
	c := identity(i.ID, i.Config.Labels)
	c.State = state(i.State.Status)
	c.ExitCode = i.State.ExitCode
	c.OOMKilled = i.State.OOMKilled
	c.Error = reword(i.State.Error)
	c.PID = i.State.Pid
	c.ImageID = i.Image
	c.RunsAs.Name, c.StopSignal = i.Config.User, i.Config.StopSignal
	if i.HostConfig != nil {
		c.RunsAs.Groups = strings.Join(i.HostConfig.GroupAdd, ",")
		c.SandboxID = i.HostConfig.NetworkMode.ConnectedContainer()
		c.Share = share(i.HostConfig.Resources)
	}
	c.Created, c.Started, c.Finished = moment(i.Created), moment(i.State.StartedAt), moment(i.State.FinishedAt)
	if c.State == pod.Exited && c.Started.IsZero() && i.State.Status != container.StateExited {
		c.State = pod.Created // it goes, and never ran
	}
	if c.State == pod.Created && c.ExitCode != 0 {
		c.State, c.Finished = pod.Exited, c.Created
	}
	if i.NetworkSettings != nil && c.Sandbox {
		c.IP = sandboxIP(i)
	}
	return c
}

// sandboxIP is the address of a sandbox: the one it has, or the one that it was made with and will not get back.
func sandboxIP(i container.InspectResponse) string {
	for _, endpoint := range i.NetworkSettings.Networks {
		if endpoint.IPAddress.IsValid() {
			return endpoint.IPAddress.String()
		}
		if endpoint.IPAMConfig != nil && endpoint.IPAMConfig.IPv4Address.IsValid() {
			return endpoint.IPAMConfig.IPv4Address.String()
		}
	}
	return ""
}

func state(s container.ContainerState) pod.State {
	switch s {
	case container.StateCreated:
		return pod.Created
	case container.StateRunning:
		return pod.Running
	case container.StatePaused:
		return pod.Paused
	case container.StateExited, container.StateRemoving, container.StateDead: // what goes has ended
		return pod.Exited
	}
	return pod.Unknown
}

// moment reads the engine's time; its year one is the zero time.
func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t
}

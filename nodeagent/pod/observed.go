package pod

import (
	"cmp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/probe"
)

// View is all that decisions about a pod are made from. Plan and Status only read it.
type View struct {
	Pod        *corev1.Pod
	Gone       bool // the API does not have the pod any more
	Host       Host
	Refused    string // what in the spec this agent cannot do; empty when it can do all
	Containers []Container
	Health     map[string]Health    // by container ID
	BackOff    map[string]BackOff   // by container name
	Failures   map[string]Failure   // by key of the operation
	Busy       map[string]Operation // by key
	Pulling    map[string]string    // how far a container's image is that is pulled, in words
	Pending    Waiting              // why a resize has to wait; zero when it need not
	Group      Share                // what the pod's containers are held to together; zero: not yet
	Resized    map[string]Share     // what the engine took last, by container ID
	Renewed    map[string]bool      // containers that were ended in order to start again, by ID
	Hooked     map[string]bool      // sidecars whose preStop hook has begun, by ID
	Making     bool                 // a sandbox starts, for which containers can be made
	Volumes    bool                 // they have been set up
	Stale      bool                 // what the volumes are made of has changed since
	Clean      bool                 // nothing of the pod is left on disk
	Reported   bool                 // the API has been told the status that this view gives
	Deleted    bool                 // the API has been asked to delete the pod
	End        *End                 // why the node ends the pod; nil when it does not
	Freed      bool                 // the volumes of a pod that has ended are gone from the disk
	Purge      bool                 // not even the dead containers of a pod that has ended are kept

	HostIP   string
	ImageIDs map[string]string                     // status.imageID by the engine's image ID
	Users    map[string]*corev1.LinuxContainerUser // by container ID; those that the API was told are not here
	Messages map[string]string                     // termination messages by container ID

	Ended map[string]time.Time // when containers did that have ended, by ID, on the clock that nobody sets
	Begun anchor               // when the pod did
}

// Operation is an action under way.
type Operation struct {
	Verb  Verb
	Until time.Time // when a kill's grace ends
}

// Health is what a container's probes have found so far.
type Health struct {
	Startup, Liveness, Readiness probe.Result
}

// group is a pod's containers in order, newest attempt first.
type group struct {
	sandboxes []Container
	byName    map[string][]Container
}

func groupOf(containers []Container) group {
	g := group{byName: map[string][]Container{}}
	for _, c := range containers {
		if c.Sandbox {
			g.sandboxes = append(g.sandboxes, c)
		} else {
			g.byName[c.Name] = append(g.byName[c.Name], c)
		}
	}
	newestFirst(g.sandboxes)
	for _, list := range g.byName {
		newestFirst(list)
	}
	return g
}

func newestFirst(list []Container) {
	slices.SortFunc(list, func(a, b Container) int {
		return cmp.Or(cmp.Compare(b.Attempt, a.Attempt), b.Created.Compare(a.Created))
	})
}

// sandbox is the one that runs.
func (g group) sandbox() (Container, bool) {
	for _, s := range g.sandboxes {
		if s.Runs() {
			return s, true
		}
	}
	return Container{}, false
}

// newest is a container's last attempt.
func (g group) newest(name string) (Container, bool) {
	list := g.byName[name]
	if len(list) == 0 {
		return Container{}, false
	}
	return list[0], true
}

// running lists the containers that run, in no order.
func (g group) running() []Container {
	var all []Container
	for _, list := range g.byName {
		for _, c := range list {
			if c.Runs() {
				all = append(all, c)
			}
		}
	}
	return all
}

// in says whether a container joined this sandbox, and not one before it.
func in(sandbox, c Container) bool {
	if c.SandboxID != "" {
		return c.SandboxID == sandbox.ID
	}
	return !c.Created.Before(sandbox.Created)
}

// reported is a container's status as the API has it.
func (v *View) reported(name string) *corev1.ContainerStatus {
	for _, list := range [][]corev1.ContainerStatus{
		v.Pod.Status.ContainerStatuses, v.Pod.Status.InitContainerStatuses, v.Pod.Status.EphemeralContainerStatuses,
	} {
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
	}
	return nil
}

// endOf is when a container ended. One of which only the API's time is known, in what is the future by now, ended long ago.
func (v *View) endOf(c Container, now time.Time) time.Time {
	if end, known := v.Ended[c.ID]; known {
		return end
	}
	if c.Finished.After(now) {
		return time.Time{}
	}
	return c.Finished
}

// started says whether a running container is past its startup probe and its postStart hook.
func (v *View) started(c *corev1.Container, have Container) bool {
	if !have.Runs() || v.Busy[c.Name].Verb == Start {
		return false
	}
	return c.StartupProbe == nil || v.health(have).Startup == probe.Success
}

// health is what probes have found of a container. Before they have found anything (the agent has just started), what
// the API was told of the very same container still holds.
func (v *View) health(have Container) Health {
	h := v.Health[have.ID]
	s := v.reported(have.Name)
	if s == nil || s.ContainerID != runtimeScheme+have.ID {
		return h
	}
	if h.Startup == probe.Unknown && s.Started != nil && *s.Started {
		h.Startup = probe.Success
	}
	if h.Readiness == probe.Unknown && s.Ready {
		h.Readiness = probe.Success
	}
	return h
}

// ended gives the exit code of a container that has ended: as the engine has it, or, when somebody removed it there,
// as the API remembers it.
func (v *View) ended(g group, name string) (exitCode int, ok bool) {
	if c, found := g.newest(name); found {
		return c.ExitCode, c.State == Exited
	}
	last, ok := v.remembered(g, name)
	return last.ExitCode, ok
}

// attempt numbers the next start of a container, past all that the engine has or the API remembers.
func (v *View) attempt(g group, name string) int {
	if c, found := g.newest(name); found {
		return c.Attempt + 1
	}
	s := v.reported(name)
	switch {
	case s == nil:
		return 0
	case s.ContainerID == "": // what was to be this attempt never ran
		return int(s.RestartCount)
	}
	return int(s.RestartCount) + 1
}

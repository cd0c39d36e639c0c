package pod

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Verb is what an action does.
type Verb string

// The verbs, in the order of a pod's life.
const (
	PrepareVolumes Verb = "prepare volumes"
	HoldPod        Verb = "hold pod"
	RunSandbox     Verb = "run sandbox"
	Start          Verb = "start"
	Resize         Verb = "resize"
	PreStop        Verb = "run the preStop hook of"
	Kill           Verb = "kill"
	Remove         Verb = "remove"
	Cancel         Verb = "cancel"
	TearDown       Verb = "tear down"
	DeletePod      Verb = "delete pod"
	FreeVolumes    Verb = "free volumes"
)

// onEngine says whether an action may change what the engine tells of a pod's containers.
func (v Verb) onEngine() bool {
	return slices.Contains([]Verb{RunSandbox, Start, Resize, PreStop, Kill, Remove}, v)
}

// Action is one thing to do for a pod.
type Action struct {
	Verb      Verb
	Container string // its name; for Cancel the key of the operation
	ID        string // of an existing container: what to kill or remove; for Start one that was created but never ran
	Attempt   int
	Grace     time.Duration
	Why       string // of a kill: the words of its event
	Abrupt    bool   // of a kill: no hook runs before it
	Renew     bool   // of a kill: the container starts again with what it is to be now, whatever its policy
}

func (a Action) String() string {
	switch a.Verb {
	case RunSandbox:
		return fmt.Sprintf("%s %d", a.Verb, a.Attempt)
	case Start:
		if a.ID != "" {
			return fmt.Sprintf("%s %s %d (created before)", a.Verb, a.Container, a.Attempt)
		}
		return fmt.Sprintf("%s %s %d", a.Verb, a.Container, a.Attempt)
	case Kill:
		return fmt.Sprintf("%s %s within %s: %s", a.Verb, a.Container, a.Grace, a.Why)
	case Remove:
		return fmt.Sprintf("%s %s", a.Verb, a.ID)
	case Cancel, Resize, PreStop:
		return fmt.Sprintf("%s %s", a.Verb, a.Container)
	}
	return string(a.Verb)
}

// Keys of operations that are not one container's. No container can be named so.
const (
	volumesKey = "/volumes"
	sandboxKey = "/sandbox"
	groupKey   = "/group"
	endKey     = "/end"
	statusKey  = "/status"
	roomKey    = "/room"
)

// key is under which an action is busy: two of the same key never run at once.
func (a Action) key() string {
	switch a.Verb {
	case PrepareVolumes, FreeVolumes:
		return volumesKey
	case makeRoom:
		return roomKey
	case RunSandbox:
		return sandboxKey
	case HoldPod:
		return groupKey
	case Remove:
		return "/remove/" + a.ID
	case Resize:
		return "/resize/" + a.ID
	case TearDown, DeletePod:
		return endKey
	case reportStatus:
		return statusKey
	}
	return a.Container
}

// Waiting is why a container does not run, as its status says.
type Waiting struct {
	Reason, Message string
	Image           string // of a volume, which could not be pulled; empty for the container's own
}

// Plan is what to do now, and what to say of containers that wait.
type Plan struct {
	Actions []Action
	Waiting map[string]Waiting // by container name
	Wake    time.Time          // when to plan again though nothing happened; zero: no need
	Done    bool               // nothing is left of a pod that is gone
}

// String lists the actions, for logs and failing tests.
func (p Plan) String() string {
	var parts []string
	for _, a := range p.Actions {
		parts = append(parts, a.String())
	}
	if p.Done {
		parts = append(parts, "done")
	}
	return strings.Join(parts, "; ")
}

func (p *Plan) wakeAt(t time.Time) {
	if p.Wake.IsZero() || t.Before(p.Wake) {
		p.Wake = t
	}
}

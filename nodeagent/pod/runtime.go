package pod

import (
	"context"
	"errors"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Runtime is what the agent needs of a container engine. nodeagent/docker implements it.
type Runtime interface {
	// Containers lists every container of ours, sandboxes too, running or not.
	Containers(ctx context.Context) ([]Container, error)
	// PodContainers lists the containers of one pod, sandboxes too, running or not.
	PodContainers(ctx context.Context, uid types.UID) ([]Container, error)
	// Events calls fn with the pod UID of each container that changed, until ctx ends or the stream breaks
	// (then the caller subscribes again first, lists second). ready is called once the subscription stands.
	Events(ctx context.Context, ready func(), fn func(types.UID)) error
	// HoldPod holds all containers of a pod that has resources of its own to them together, from before its sandbox on.
	HoldPod(ctx context.Context, uid types.UID, s Share) error
	// ReleasePod undoes HoldPod once the containers are gone, whether that was called or not.
	ReleasePod(ctx context.Context, uid types.UID) error
	// RunSandbox creates and starts the container that owns the pod's namespaces, with the pod's address.
	RunSandbox(ctx context.Context, s Sandbox) (Container, error)
	Create(ctx context.Context, c Spec) (id string, err error)
	// Start starts a created container. A command that cannot run is a *StartError.
	Start(ctx context.Context, id string) error
	// Resize holds a running container to other amounts. It fails rather than take memory that is in use.
	Resize(ctx context.Context, id string, s Share) error
	// Stop sends the stop signal, waits for grace, kills. Stopping what is gone is no error.
	Stop(ctx context.Context, id string, grace time.Duration) error
	Remove(ctx context.Context, id string) error
	// Exec runs a command to its end in a running container; output is bounded.
	Exec(ctx context.Context, id string, command []string) (output []byte, exitCode int, err error)
	// Image looks an image up by the name in a pod's spec, or by ID; ok is false when it is not present.
	Image(ctx context.Context, ref string) (img Image, ok bool, err error)
	// Identity is what a user is in an image: the IDs that a process gets. It may have to read the image's files.
	Identity(ctx context.Context, imageID string, u User) (*corev1.LinuxContainerUser, error)
	// Images lists what the engine has, for the node's status.
	Images(ctx context.Context) ([]Image, error)
	// Host is what the engine and its machine can do.
	Host(ctx context.Context) (Host, error)
	// Version is the engine's name and version as a node reports it: "docker://20.10.24".
	Version(ctx context.Context) (string, error)
	// Tail gives at most limit bytes of the end of a container's log (termination messages).
	Tail(ctx context.Context, id string, limit int64) ([]byte, error)
	// Logs writes a container's log as the kubelet does.
	Logs(ctx context.Context, id string, o corev1.PodLogOptions, stdout, stderr io.Writer) error
}

// Container is one container as the engine has it.
type Container struct {
	ID                         string
	PodUID                     types.UID
	PodNamespace, PodName      string
	Name                       string // container name in the pod's spec; empty for the sandbox
	Sandbox                    bool
	Attempt                    int    // 0 for the first start; also the restart count's memory
	Hash                       string // of the container's spec when it was made
	State                      State
	ExitCode                   int
	OOMKilled                  bool
	Error                      string // the engine's own words when it could not start
	Created, Started, Finished time.Time
	Image, ImageID             string // name in the spec; config digest, "sha256:…"
	IP                         string // of a sandbox
	SandboxID                  string // of the sandbox that a container joined; empty when unknown
	PID                        int
	Share                      Share
	RunsAs                     User
	StopSignal                 string // its image's, or its own; empty: the engine's default, SIGTERM
}

// User is whom a container's first process runs as, in the words that the engine was given.
type User struct {
	Name   string // of the image's user or a number, with or without a group; empty: the image's root
	Groups string // more of them, by numbers, with commas between
}

// State is an engine's container state.
type State string

const (
	Created State = "created"
	Running State = "running"
	Exited  State = "exited"
	Paused  State = "paused"  // somebody holds its processes; it can be stopped, and go on
	Unknown State = "unknown" // cannot be used any more
)

// Runs says whether a container has processes, held or not.
func (c Container) Runs() bool { return c.State == Running || c.State == Paused }

// Image is an image that the engine has.
type Image struct {
	ID              string   // config digest
	Names           []string // tags and digests that name it
	RepoDigest      string   // repository@sha256:… for status.imageID, empty when unknown
	Size            int64
	User            string
	Entrypoint, Cmd []string
}

// Sandbox is what RunSandbox needs of a pod.
type Sandbox struct {
	Pod      *corev1.Pod // names, UID, hostNetwork and so on; read-only
	Attempt  int
	Hostname string
	DNS      DNS
	Ports    []corev1.ContainerPort // those with a hostPort
	Made     func(Container)        // called when the sandbox is there and about to start; nil, or called from any goroutine
	Handler  string                 // the engine's runtime by the pod's RuntimeClass; empty for the engine's default
}

// DNS is a pod's resolver configuration, resolved from its policy.
type DNS struct {
	Servers, Searches, Options []string
}

// Spec is a container with everything resolved: no references are left.
type Spec struct {
	Pod           *corev1.Pod
	Container     corev1.Container // for names, ports, security context, tty, stdin; env and mounts below count
	SandboxID     string
	TargetID      string // of the container whose processes this one sees; empty for its own
	Attempt       int
	Hash          string
	ImageID       string
	Command, Args []string // expanded
	Env           []string // KEY=value
	Mounts        []Mount
	Devices       []Device
	Share         Share
	OOMScoreAdj   int
	Handler       string // as the sandbox's
}

// Mount binds a host path into a container.
type Mount struct {
	HostPath, ContainerPath string
	ReadOnly                bool
	Propagation             string // "", "rslave", "rshared", "rprivate"
}

// Device gives a container a block device of the host.
type Device struct {
	HostPath, ContainerPath string
	ReadOnly                bool
}

// StartError is a command that the engine could not start: the container ends with this code, and the engine's words.
type StartError struct {
	ExitCode int
	Message  string
}

func (e *StartError) Error() string { return e.Message }

// Puller brings images into the engine. registry/pull implements it, main joins the two.
type Puller interface {
	// Pull resolves a reference and makes it present under its own name; it returns when the engine has it.
	// progress is called now and then. Errors carry the registry's own reason; ErrRegistryUnavailable is one of them.
	Pull(ctx context.Context, ref string, secrets []corev1.Secret, progress func(PullProgress)) (Image, error)
	// MayUse reports whether a pod with these secrets may use an image that the engine has already. If not, it must
	// show that it may by pulling it.
	MayUse(imageID, ref string, secrets []corev1.Secret) bool
}

// PullProgress is how far a pull has come.
type PullProgress struct {
	Done, Total        int64 // bytes
	LayersDone, Layers int
}

// ErrRegistryUnavailable is a pull that failed since no registry answered.
var ErrRegistryUnavailable = errors.New("RegistryUnavailable")

package pod

import (
	"log/slog"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"
)

// Config is what a manager needs. Fields that do not say otherwise must be set.
type Config struct {
	Client  kubernetes.Interface
	Runtime Runtime
	Puller  Puller
	Events  record.EventRecorder
	// ImageVolumes shows images' files; nil: pods with such volumes wait.
	ImageVolumes ImageVolumes
	Fields       Fields
	Dir          string // where pods' volumes and files are kept, a directory for each UID
	NodeName     string
	Hostname     string // of pods in the host's network
	NodeIP       string
	Capacity     corev1.ResourceList // the node's
	// Allocatable is what of that pods may ask for.
	Allocatable corev1.ResourceList
	Sysctls     Sysctls // that pods may set
	Gate        Gate    // who may run here; nil lets everyone in
	DNS         DNS     // the host's resolver
	// Static gives the pods that come from files; nil: there are none.
	Static Static
	// Node is this node as the API has it; nil while it has none.
	Node func() *corev1.Node
	// EngineTurned is called when the engine is heard, and when it is not any more; nil: nobody wants to know.
	EngineTurned func()
	// Network is closed once pods can have addresses; nil: they always can.
	Network <-chan struct{}
	// APIServer is HOST:PORT of the API as pods reach it, for their variables. Empty, or a loopback for those that are
	// not in the host's network: they are told none.
	APIServer string
	Logger    *slog.Logger
}

package pod

import (
	"log/slog"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"
)

// Config is what a manager needs. All fields must be set.
type Config struct {
	Client   kubernetes.Interface
	Runtime  Runtime
	Puller   Puller
	Events   record.EventRecorder
	Fields   Fields
	Dir      string // where pods' volumes and files are kept, a directory for each UID
	NodeName string
	Hostname string // of pods in the host's network
	NodeIP   string
	Capacity corev1.ResourceList // the node's
	DNS      DNS                 // the host's resolver
	Logger   *slog.Logger
}

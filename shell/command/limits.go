package command

import (
	"time"

	"github.com/spf13/pflag"
	cliflag "k8s.io/component-base/cli/flag"
)

// LimitOptions is what an agent is told about how much of the machine pods get. Names and defaults are the kubelet's.
type LimitOptions struct {
	MaxPods, PodsPerCore         int
	KubeReserved, SystemReserved map[string]string // quantities by resource

	EvictionHard, EvictionSoft map[string]string // thresholds by signal
	EvictionSoftGrace          map[string]string // durations by signal
	EvictionMinimumReclaim     map[string]string // quantities by signal
	EvictionMaxPodGrace        int               // seconds
	EvictionTransition         time.Duration

	ImageGCHigh, ImageGCLow  int // percent
	ImageMinAge, ImageMaxAge time.Duration

	ContainerLogMaxSize  string
	ContainerLogMaxFiles int

	ShutdownGrace, ShutdownGraceCritical time.Duration
}

func (o *LimitOptions) addFlags(flags *pflag.FlagSet) {
	o.EvictionHard = map[string]string{
		"memory.available": "100Mi", "nodefs.available": "10%", "nodefs.inodesFree": "5%",
		"imagefs.available": "15%", "imagefs.inodesFree": "5%",
	}
	flags.IntVar(&o.MaxPods, "max-pods", 110, "Pods that can run on this node.")
	flags.IntVar(&o.PodsPerCore, "pods-per-core", 0, "Pods that can run on this node for each processor, at most --max-pods; 0 is no such limit.")
	flags.Var(cliflag.NewMapStringString(&o.KubeReserved), "kube-reserved", "Resources kept for the agent and the container engine: cpu, memory and ephemeral-storage, like cpu=200m,memory=500Mi.")
	flags.Var(cliflag.NewMapStringString(&o.SystemReserved), "system-reserved", "Resources kept for the rest of the system: cpu, memory and ephemeral-storage, like cpu=200m,memory=500Mi.")

	flags.Var(cliflag.NewLangleSeparatedMapStringString(&o.EvictionHard), "eviction-hard", "Thresholds at which pods are evicted at once, like memory.available<1Gi. Those given replace all defaults.")
	flags.Var(cliflag.NewLangleSeparatedMapStringString(&o.EvictionSoft), "eviction-soft", "Thresholds at which pods are evicted after a grace period, like memory.available<1.5Gi.")
	flags.Var(cliflag.NewMapStringString(&o.EvictionSoftGrace), "eviction-soft-grace-period", "How long each soft threshold may be undercut, like memory.available=1m30s.")
	flags.Var(cliflag.NewMapStringString(&o.EvictionMinimumReclaim), "eviction-minimum-reclaim", "How much more than the threshold is freed once it is undercut, like nodefs.available=2Gi.")
	flags.IntVar(&o.EvictionMaxPodGrace, "eviction-max-pod-grace-period", 0, "Seconds that pods get to end at a soft threshold, if their own are not fewer; negative leaves them their own.")
	flags.DurationVar(&o.EvictionTransition, "eviction-pressure-transition-period", 5*time.Minute, "How long a pressure condition of the node outlives its cause.")

	flags.IntVar(&o.ImageGCHigh, "image-gc-high-threshold", 85, "Percent of the images' disk in use at which unused images are removed; 100 never does.")
	flags.IntVar(&o.ImageGCLow, "image-gc-low-threshold", 80, "Percent of the images' disk in use down to which unused images are removed.")
	flags.DurationVar(&o.ImageMinAge, "minimum-image-ttl-duration", 2*time.Minute, "How long an image is kept at least.")
	flags.DurationVar(&o.ImageMaxAge, "maximum-image-ttl-duration", 0, "How long an unused image is kept at most; 0 is no such limit.")

	flags.StringVar(&o.ContainerLogMaxSize, "container-log-max-size", "10Mi", "Size at which a container's log is rotated.")
	flags.IntVar(&o.ContainerLogMaxFiles, "container-log-max-files", 5, "Files that a container's log has at most, 2 or more.")

	flags.DurationVar(&o.ShutdownGrace, "shutdown-grace-period", 0, "How long a shutdown of the machine is held up for pods to end; 0 does not.")
	flags.DurationVar(&o.ShutdownGraceCritical, "shutdown-grace-period-critical-pods", 0, "The last part of --shutdown-grace-period, for critical pods.")
}

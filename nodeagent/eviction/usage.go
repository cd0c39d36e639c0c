package eviction

import (
	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/disk"
)

// Usage is what a pod takes of its node.
type Usage struct {
	Processes  int64
	Containers []ContainerUsage
	Volumes    map[string]disk.Usage // by name, of those on the node's disk that end with the pod
}

// ContainerUsage is what one container takes.
type ContainerUsage struct {
	Name   string
	Memory int64      // bytes of its working set
	Layer  disk.Usage // what it has written into its own file system
	Log    disk.Usage
}

// usages tells of pods; false when nothing is known of one.
type usages func(*corev1.Pod) (Usage, bool)

func (u Usage) memory() int64 {
	var sum int64
	for _, c := range u.Containers {
		sum += c.Memory
	}
	return sum
}

// parts of a pod's usage of disks.
type parts struct{ containers, volumes bool }

// everything is on one disk, as far as that is the same for images and volumes.
var everything = parts{containers: true, volumes: true}

// disk adds up these parts. The engine keeps logs where it keeps the containers' layers.
func (u Usage) disk(which parts) disk.Usage {
	var sum disk.Usage
	if which.containers {
		for _, c := range u.Containers {
			sum = sum.Add(c.Layer).Add(c.Log)
		}
	}
	if which.volumes {
		for _, v := range u.Volumes {
			sum = sum.Add(v)
		}
	}
	return sum
}

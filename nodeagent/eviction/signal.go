package eviction

import (
	corev1 "k8s.io/api/core/v1"
)

// Signal is something that a node can run short of.
type Signal string

// The signals, as thresholds name them.
const (
	MemoryAvailable   Signal = "memory.available"
	NodeFsAvailable   Signal = "nodefs.available"
	NodeFsInodesFree  Signal = "nodefs.inodesFree"
	ImageFsAvailable  Signal = "imagefs.available"
	ImageFsInodesFree Signal = "imagefs.inodesFree"
	PIDAvailable      Signal = "pid.available"
	// AllocatableMemoryAvailable is what pods have left of the memory that is not kept from them.
	AllocatableMemoryAvailable Signal = "allocatableMemory.available"
	// The disk of what containers write is that of the images, or of the node where they have none: so these are known,
	// and what is said of that disk counts, as with the kubelet.
	ContainerFsAvailable  Signal = "containerfs.available"
	ContainerFsInodesFree Signal = "containerfs.inodesFree"
)

// What pods take of a node that is no resource of the API.
const (
	inodes corev1.ResourceName = "inodes"
	pids   corev1.ResourceName = "pids"
)

// signals says of each what it is about and which condition of the node it makes, the most urgent first: a machine
// without memory has no time for anything else.
var signals = []struct {
	signal    Signal
	resource  corev1.ResourceName
	condition corev1.NodeConditionType
}{
	{MemoryAvailable, corev1.ResourceMemory, corev1.NodeMemoryPressure},
	{AllocatableMemoryAvailable, corev1.ResourceMemory, corev1.NodeMemoryPressure},
	{NodeFsAvailable, corev1.ResourceEphemeralStorage, corev1.NodeDiskPressure},
	{NodeFsInodesFree, inodes, corev1.NodeDiskPressure},
	{ImageFsAvailable, corev1.ResourceEphemeralStorage, corev1.NodeDiskPressure},
	{ImageFsInodesFree, inodes, corev1.NodeDiskPressure},
	{ContainerFsAvailable, corev1.ResourceEphemeralStorage, corev1.NodeDiskPressure},
	{ContainerFsInodesFree, inodes, corev1.NodeDiskPressure},
	{PIDAvailable, pids, corev1.NodePIDPressure},
}

func (s Signal) urgency() int {
	for i, known := range signals {
		if known.signal == s {
			return i
		}
	}
	return len(signals)
}

func (s Signal) known() bool { return s.urgency() < len(signals) }

// implied says whether others say the same: there is no disk for containers alone.
func (s Signal) implied() bool { return s == ContainerFsAvailable || s == ContainerFsInodesFree }

// Resource is what a node is short of when the signal says so.
func (s Signal) Resource() corev1.ResourceName { return signals[s.urgency()].resource }

// Condition is the node's, by which others know.
func (s Signal) Condition() corev1.NodeConditionType { return signals[s.urgency()].condition }

// Observation is what there is of something at a moment.
type Observation struct{ Available, Capacity int64 }

// Observations are by signal; those that could not be made are missing.
type Observations map[Signal]Observation

package nodeagent

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/disk"
	"leme/nodeagent/eviction"
	"leme/nodeagent/host"
)

// scales weigh the machine: how much there is left of what pods share.
type scales struct {
	config *Config
	meter  meter
	active func() []*corev1.Pod

	mu     sync.Mutex
	images string    // where the engine keeps images; empty until it has said so, and when that is another machine
	asked  time.Time // when it was last asked, and answered
}

// askAgain is how long an engine on another machine is believed to stay there: to tell of itself costs it something.
const askAgain = 5 * time.Minute

// Observe implements eviction.Machine. What cannot be weighed is left out.
func (s *scales) Observe(ctx context.Context) (seen eviction.Observations, imagesApart bool, err error) {
	seen = eviction.Observations{}
	memory, memoryErr := host.ReadMemory(s.config.Host)
	if memoryErr == nil {
		seen[eviction.MemoryAvailable] = eviction.Observation{Available: memory.Available(), Capacity: memory.Total}
		s.notePods(ctx, seen, memory.Total)
	}
	tasks, tasksErr := host.ReadProcesses(s.config.Host)
	if tasksErr == nil {
		seen[eviction.PIDAvailable] = eviction.Observation{Available: tasks.Limit - tasks.Running, Capacity: tasks.Limit}
	}
	own, ownErr := disk.Of(s.config.Home)
	if ownErr == nil {
		note(seen, own, eviction.NodeFsAvailable, eviction.NodeFsInodesFree)
	}
	images, ok, imagesErr := s.imageDisk(ctx)
	if ok {
		note(seen, images, eviction.ImageFsAvailable, eviction.ImageFsInodesFree)
		imagesApart = ownErr == nil && images.Device != own.Device
	}
	return seen, imagesApart, errors.Join(memoryErr, tasksErr, ownErr, imagesErr)
}

// notePods keeps what pods have left of the memory that is theirs, where a threshold is about that: each of them is asked.
func (s *scales) notePods(ctx context.Context, seen eviction.Observations, total int64) {
	asked := func(t eviction.Threshold) bool { return t.Signal == eviction.AllocatableMemoryAvailable }
	if !slices.ContainsFunc(s.config.Limits.thresholds(), asked) {
		return
	}
	theirs := total - s.config.Limits.keptFromPods(corev1.ResourceMemory)
	used := int64(0)
	for _, u := range s.meter.Consumed(ctx, s.active()) {
		for _, c := range u.Containers {
			used += c.Memory
		}
	}
	seen[eviction.AllocatableMemoryAvailable] = eviction.Observation{Available: max(0, theirs-used), Capacity: theirs}
}

// note keeps what a disk has left. Percentages are of what can be filled, without what is kept back for the system.
func note(seen eviction.Observations, s disk.Space, bytes, inodes eviction.Signal) {
	seen[bytes] = eviction.Observation{Available: s.Free, Capacity: s.Usable}
	if s.Inodes > 0 {
		seen[inodes] = eviction.Observation{Available: s.InodesFree, Capacity: s.Inodes}
	}
}

// imageDisk is the disk of images and of what containers write; ok is false when it is another machine's.
func (s *scales) imageDisk(ctx context.Context) (space disk.Space, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.images == "" {
		if time.Since(s.asked) < askAgain {
			return disk.Space{}, false, nil
		}
		if err := s.askForImages(ctx); err != nil || s.images == "" {
			return disk.Space{}, false, err
		}
	}
	space, err = disk.Of(s.images)
	return space, err == nil, err
}

// askForImages finds out where images are; s.mu is held.
func (s *scales) askForImages(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if s.images, err = s.config.Runtime.StorageRoot(ctx); err == nil {
		s.asked = time.Now()
	}
	return err
}

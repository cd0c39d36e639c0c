package simulated

import (
	"cmp"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/rest"
)

// Config says which nodes there are and how they behave.
type Config struct {
	REST     *rest.Config // an administrator's
	Nodes    int          // at most 16,000
	Prefix   string       // of their names; node- by default
	Zones    int          // they are in turns in so many, by their label; 3 by default
	Capacity corev1.ResourceList
	Life     Life
	Seed     uint64

	Lease   time.Duration // between two renewals; 10 s by default, as the agent does
	Workers int           // requests at the same time; 32 by default
}

const leaseDuration = 40 // seconds

// prepare fills in what is not set.
func (c *Config) prepare() error {
	if c.REST == nil || c.Nodes < 1 || c.Nodes > 16_000 {
		return errors.New("simulated: a configuration needs a client's, and 1 to 16,000 nodes")
	}
	c.Prefix = cmp.Or(c.Prefix, "node-")
	c.Zones = cmp.Or(c.Zones, 3)
	c.Lease = cmp.Or(c.Lease, 10*time.Second)
	c.Workers = cmp.Or(c.Workers, 32)
	if c.Capacity == nil {
		c.Capacity = capacity()
	}
	return nil
}

// capacity is that of a node of middle size.
func capacity() corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("16"), corev1.ResourceMemory: resource.MustParse("64Gi"),
		corev1.ResourceEphemeralStorage: resource.MustParse("100Gi"), corev1.ResourcePods: resource.MustParse("110"),
	}
}

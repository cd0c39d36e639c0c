package docker

import (
	"context"
	"fmt"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/pod"
)

// podGroup is the control group that a pod's containers are in when the pod has resources of its own.
func podGroup(uid types.UID) string { return "/leme/pod" + string(uid) }

// groupOf is a pod's group; empty for a pod without, whose containers are where the engine puts them.
func groupOf(p *corev1.Pod) string {
	if p.Spec.Resources == nil {
		return ""
	}
	return podGroup(p.UID)
}

// groupsPods says whether pods can have groups: the engine must be this machine's, take paths for groups, and we must be
// allowed to make them.
func (r *Runtime) groupsPods(i Info) bool {
	c, err := hostCgroups()
	return err == nil && c.cpu != "" && c.memory != "" && i.CgroupDriver == "cgroupfs" &&
		os.Geteuid() == 0 && strings.HasPrefix(r.engine.DaemonHost(), "unix:")
}

func hostCgroups() (cgroups, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return cgroups{}, fmt.Errorf("finding the host's control groups: %w", err)
	}
	return findCgroups(string(mounts)), nil
}

// HoldPod holds all containers of a pod together to a share.
func (r *Runtime) HoldPod(_ context.Context, uid types.UID, s pod.Share) error {
	c, err := hostCgroups()
	if err != nil {
		return err
	}
	return c.hold(podGroup(uid), s)
}

// ReleasePod removes a pod's group, once its containers are gone. One that is not there is no error.
func (r *Runtime) ReleasePod(_ context.Context, uid types.UID) error {
	c, err := hostCgroups()
	if err != nil {
		return err
	}
	if err := c.remove(podGroup(uid)); err != nil {
		return fmt.Errorf("removing the pod's control group: %w", err)
	}
	return nil
}

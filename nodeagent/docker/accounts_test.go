package docker_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/client"
	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/docker"
	"leme/nodeagent/docker/dockertest"
)

// TestUsers: the groups of a container's user, those that the image gives to it only where the pod wants them.
func TestUsers(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	merge, strict := corev1.SupplementalGroupsPolicyMerge, corev1.SupplementalGroupsPolicyStrict
	for name, row := range map[string]struct {
		uid, gid *int64
		policy   *corev1.SupplementalGroupsPolicy
		want     string
	}{
		"known":           {new(int64(1000)), nil, nil, "uid 1000 gid 1001 groups [7 50 1001]"},
		"known-merge":     {new(int64(1000)), nil, &merge, "uid 1000 gid 1001 groups [7 50 1001]"},
		"known-strict":    {new(int64(1000)), nil, &strict, "uid 1000 gid 1001 groups [7 1001]"},
		"group":           {new(int64(1000)), new(int64(55)), nil, "uid 1000 gid 55 groups [7 50 55]"},
		"group-strict":    {new(int64(1000)), new(int64(55)), &strict, "uid 1000 gid 55 groups [7 55]"},
		"unknown-strict":  {new(int64(4321)), nil, &strict, "uid 4321 gid 0 groups [0 7]"},
		"the-images":      {nil, new(int64(55)), nil, "uid 0 gid 55 groups [7 55]"},
		"images-strictly": {nil, nil, &strict, "uid 0 gid 0 groups [0 7]"},
	} {
		p := n.Pod(name, "facts")
		p.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsUser: row.uid, RunAsGroup: row.gid, SupplementalGroups: []int64{7}, SupplementalGroupsPolicy: row.policy}
		id := n.Run(t, p)
		dockertest.Eventually(t, func() bool { return strings.Contains(tail(t, n, id), "writable") })
		if facts := tail(t, n, id); !strings.Contains(facts, row.want+"\n") {
			t.Errorf("%s: want %s in\n%s", name, row.want, facts)
		}
		c, _ := n.Find(t, id)
		who, err := n.Identity(t.Context(), c.ImageID, c.RunsAs)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(who.SupplementalGroups)
		if told := fmt.Sprintf("uid %d gid %d groups %v", who.UID, who.GID, who.SupplementalGroups); told != row.want {
			t.Errorf("%s: the status would tell %s, and it is %s", name, told, row.want)
		}
	}
	left, err := n.Engine.ContainerList(t.Context(), client.ContainerListOptions{All: true,
		Filters: make(client.Filters).Add("label", docker.LabelReading)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range left.Items {
		if c.Image == n.Image.ID {
			t.Errorf("left behind: %+v", c)
		}
	}
}

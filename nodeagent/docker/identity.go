package docker

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/user"
	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/pod"
)

// Identity is what the engine makes of a container's user: its number, its group's, and all groups that it is in, its
// own first. The image's files are read, once an image, only where they count: a group that is given leaves out those
// that the image gives.
func (r *Runtime) Identity(ctx context.Context, imageID string, u pod.User) (*corev1.LinuxContainerUser, error) {
	who, known := numeric(u.Name)
	if !known {
		var err error
		if who, err = r.account(ctx, imageID, cmp.Or(u.Name, "0")); err != nil {
			return nil, fmt.Errorf("finding out who %q is: %w", u.Name, err)
		}
	}
	groups := []int64{int64(who.Gid)}
	for _, g := range who.Sgids {
		groups = append(groups, int64(g))
	}
	for _, text := range strings.FieldsFunc(u.Groups, func(r rune) bool { return r == ',' }) {
		g, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("group %q is no number: %w", text, err)
		}
		groups = append(groups, g)
	}
	return &corev1.LinuxContainerUser{UID: int64(who.Uid), GID: int64(who.Gid), SupplementalGroups: distinct(groups)}, nil
}

// numeric reads UID:GID of numbers alone, which mean the same in every image.
func numeric(name string) (*user.ExecUser, bool) {
	u, g, ok := strings.Cut(name, ":")
	uid, uidErr := strconv.Atoi(u)
	gid, gidErr := strconv.Atoi(g)
	return &user.ExecUser{Uid: uid, Gid: gid}, ok && uidErr == nil && gidErr == nil
}

// distinct leaves out what was named before.
func distinct(groups []int64) []int64 {
	var once []int64
	for _, g := range groups {
		if !slices.Contains(once, g) {
			once = append(once, g)
		}
	}
	return once
}

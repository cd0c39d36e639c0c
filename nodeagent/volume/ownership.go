package volume

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// What the pod's group may do with what is given to it, as the kubelet has it.
const (
	groupWrites = 0o660
	groupReads  = 0o440
	groupEnters = 0o110 | unix.S_ISGID // directories, in which new files are the group's too
)

// giveTo gives a directory with all that is in it to a group, the deepest first: the directory itself tells that all is
// done. No link is followed, whatever anybody puts there meanwhile.
func giveTo(dir string, group int, readOnly bool) error {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == nil {
		err = giveTree(fd, group, permissions(readOnly))
	}
	if err != nil {
		return fmt.Errorf("giving the volume to group %d: %w", group, err)
	}
	return nil
}

func permissions(readOnly bool) uint32 {
	if readOnly {
		return groupReads
	}
	return groupWrites
}

// giveTree takes a file that is open for naming it only, and closes it.
func giveTree(fd, group int, mode uint32) error {
	file := os.NewFile(uintptr(fd), "")
	defer file.Close()
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		if err := giveBelow(fd, group, mode); err != nil {
			return err
		}
		mode |= groupEnters
	}
	if err := unix.Fchownat(fd, "", -1, group, unix.AT_EMPTY_PATH|unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT == unix.S_IFLNK {
		return nil
	}
	return unix.Chmod(fmt.Sprintf("/proc/self/fd/%d", fd), stat.Mode&0o7777|mode)
}

// giveBelow gives what a directory holds. What has gone since it was listed needs nothing.
func giveBelow(fd, group int, mode uint32) error {
	listed, err := unix.Openat(fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	dir := os.NewFile(uintptr(listed), "")
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		child, err := unix.Openat(fd, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err == nil {
			err = giveTree(child, group, mode)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// isGroups says whether a directory itself is a group's already, with all that the group needs.
func isGroups(dir string, group int, readOnly bool) (bool, error) {
	var stat unix.Stat_t
	if err := unix.Lstat(dir, &stat); err != nil {
		return false, err
	}
	need := permissions(readOnly) | unix.S_ISGID
	return int(stat.Gid) == group && stat.Mode&need == need, nil
}

// giveVolume gives a volume that outlives the pod to the pod's group, as its policy says: always, or when the directory
// itself is not the group's.
func giveVolume(pod *corev1.Pod, dir string) error {
	group := fsGroup(pod)
	if group < 0 {
		return nil
	}
	if ptr.Deref(pod.Spec.SecurityContext.FSGroupChangePolicy, corev1.FSGroupChangeAlways) == corev1.FSGroupChangeOnRootMismatch {
		if done, err := isGroups(dir, group, false); done || err != nil {
			return err
		}
	}
	return giveTo(dir, group, false)
}

// fsGroup is the group that owns the pod's volumes; -1 when none is set.
func fsGroup(pod *corev1.Pod) int {
	if sc := pod.Spec.SecurityContext; sc != nil && sc.FSGroup != nil {
		return int(*sc.FSGroup)
	}
	return -1
}

// fsUser is the user that all containers of the pod run as; -1 when there is no such.
func fsUser(pod *corev1.Pod) int {
	user := -1
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			runs := runAsUser(pod, &list[i])
			if runs == nil || user >= 0 && int(*runs) != user {
				return -1
			}
			user = int(*runs)
		}
	}
	return user
}

func runAsUser(pod *corev1.Pod, c *corev1.Container) *int64 {
	if c.SecurityContext != nil && c.SecurityContext.RunAsUser != nil {
		return c.SecurityContext.RunAsUser
	}
	if pod.Spec.SecurityContext != nil {
		return pod.Spec.SecurityContext.RunAsUser
	}
	return nil
}

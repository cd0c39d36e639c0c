package pod

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
)

// TestFilesInThePlaceOfGarbage: whatever has the name of a pod's file, containers get the file, and nothing that a link
// leads to is touched.
func TestFilesInThePlaceOfGarbage(t *testing.T) {
	theirs := filepath.Join(t.TempDir(), "theirs")
	write := func(path, content string, mode os.FileMode) error { return os.WriteFile(path, []byte(content), mode) }
	if err := write(theirs, "theirs", 0o600); err != nil {
		t.Fatal(err)
	}
	c := &corev1.Container{Name: "web", TerminationMessagePath: "/dev/termination-log"}
	for what, put := range map[string]func(path string) error{
		"a longer file":           func(path string) error { return write(path, "a line that is longer than the other\n", 0o600) },
		"a file cut short":        func(path string) error { return write(path, "127.0", 0) },
		"a link":                  func(path string) error { return os.Symlink(theirs, path) },
		"a directory":             func(path string) error { return os.MkdirAll(filepath.Join(path, "deep"), 0) },
		"a pipe that nobody ends": func(path string) error { return unix.Mkfifo(path, 0o600) },
	} {
		for _, place := range []string{".", "hosts", "resolv.conf", "containers", "containers/web", "containers/web/1", "containers/web/3"} {
			f := files{filepath.Join(t.TempDir(), "uid")}
			if err := os.MkdirAll(filepath.Dir(filepath.Join(f.dir, place)), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := put(filepath.Join(f.dir, place)); err != nil {
				t.Fatal(err)
			}
			ended := Container{Name: "web", Attempt: 3}
			if text, _ := f.readMessage(ended); text == "theirs" {
				t.Errorf("%s at %s: the message is what a link leads to", what, place)
			}
			mounts, err := f.mounts(c, 3, []byte("127.0.0.1\tlocalhost\n"), []byte("nameserver 192.0.2.1\n"))
			if err != nil {
				t.Errorf("%s at %s: %v", what, place, err)
				continue
			}
			for i, want := range []string{"127.0.0.1\tlocalhost\n", "nameserver 192.0.2.1\n", ""} {
				info, err := os.Lstat(mounts[i].HostPath)
				if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o444 != 0o444 {
					t.Errorf("%s at %s: %s is %v, %v", what, place, mounts[i].ContainerPath, info, err)
				} else if got, err := os.ReadFile(mounts[i].HostPath); err != nil || string(got) != want {
					t.Errorf("%s at %s: %s says %q, %v", what, place, mounts[i].ContainerPath, got, err)
				}
			}
		}
	}
	if got, err := os.ReadFile(theirs); err != nil || string(got) != "theirs" {
		t.Errorf("what a link led to: %q, %v", got, err)
	}
}

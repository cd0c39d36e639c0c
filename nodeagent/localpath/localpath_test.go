package localpath

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFolder(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := Folder(filepath.Join(t.TempDir(), "volumes"))
	path, err := f.Make("pvc-1")
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o777 {
		t.Fatalf("the directory is %v, %v", info, err)
	}
	if err := os.WriteFile(filepath.Join(path, "data"), []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Dir(outside), filepath.Join(path, "link")); err != nil {
		t.Fatal(err)
	}
	if again, err := f.Make("pvc-1"); err != nil || again != path {
		t.Errorf("making it again gives %q, %v", again, err)
	}
	if data, err := os.ReadFile(filepath.Join(path, "data")); err != nil || string(data) != "kept" {
		t.Errorf("after that it holds %q, %v", data, err)
	}
	for range 2 {
		if err := f.Remove("pvc-1"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Errorf("what a link in it led to: %v", err)
	}
	for _, name := range []string{"", ".", "..", "../x", "a/b"} {
		if _, err := f.Make(name); err == nil {
			t.Errorf("made a volume %q", name)
		}
		if f.Remove(name) == nil {
			t.Errorf("removed a volume %q", name)
		}
	}
}

package pod

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
)

func TestVariableIn(t *testing.T) {
	for _, c := range []struct{ text, want, err string }{
		{"A='1'", "1", ""},
		{"# first\n\n  B='x'\nA='two words' # why\n", "two words", ""},
		{"A='$(B) \\n \"'", `$(B) \n "`, ""},
		{"B='one\nA=no'\nA='two\nlines'", "two\nlines", ""},
		{"A='1'\r\nnonsense", "1", ""},
		{"A= 'x'", "", ""},
		{"B='1'", "", ""},
		{"", "", ""},
		{"A", "", "line 1: missing '='"},
		{"\nA ='1'", "", "line 2: whitespace before '=' is not allowed"},
		{"='1'", "", "line 1: empty variable name"},
		{"A=1", "", "line 1: value must be enclosed in single quotes"},
		{"A=", "", "line 1: value must be enclosed in single quotes"},
		{"B='\n\n'\nA='1", "", "line 4: unclosed single quote"},
		{"A='1'2", "", "line 1: unexpected content after closing quote"},
	} {
		got, err := variableIn(c.text, "A")
		if got != c.want || err == nil && c.err != "" || err != nil && err.Error() != c.err {
			t.Errorf("%q: got %q, %v", c.text, got, err)
		}
	}
}

func FuzzVariableIn(f *testing.F) {
	f.Add("A='1'\n# x\nB= 'y'\nC='z\n'")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := variableIn(text, "A"); err != nil && got != "" || strings.Contains(got, "'") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	})
}

// TestFileKey: a variable comes from a file in a volume, and from nowhere else, whatever the volume's owner puts there.
func TestFileKey(t *testing.T) {
	dir := t.TempDir()
	volume, secret := filepath.Join(dir, "volume"), filepath.Join(dir, "secret")
	for _, err := range []error{
		os.Mkdir(volume, 0o700), os.WriteFile(secret, []byte("A='hush'"), 0o600), os.WriteFile(filepath.Join(volume, "env"), []byte("A='1'"), 0o600),
		os.Symlink("env", filepath.Join(volume, "link")), os.Symlink(secret, filepath.Join(volume, "out")),
		unix.Mkfifo(filepath.Join(volume, "pipe"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r := resolver{volumes: map[string]string{"v": volume}}
	for _, c := range []struct {
		volume, path, key string
		optional          bool
		want, err         string
	}{
		{"v", "env", "A", false, "1", ""},
		{"v", "link", "A", false, "1", ""},
		{"v", "env", "B", true, "", ""},
		{"v", "none", "A", true, "", ""},
		{"v", "env", "B", false, "", `key "B" not found in file "env"`},
		{"v", "none", "A", false, "", "no such file"},
		{"v", "out", "A", true, "", "escapes"},
		{"v", "pipe", "A", true, "", "no regular file"},
		{"w", "env", "A", true, "", `cannot find the volume "w"`},
	} {
		ref := &corev1.FileKeySelector{VolumeName: c.volume, Path: c.path, Key: c.key, Optional: &c.optional}
		got, ok, err := r.fileKey(ref)
		if got != c.want || ok != (c.want != "") || err == nil && c.err != "" || err != nil && (c.err == "" || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%+v: %q, %v, %v", c, got, ok, err)
		}
	}
}

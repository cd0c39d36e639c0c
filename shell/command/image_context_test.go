package command

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// packed lists what a context's tar holds: names, with a link's target or a file's content.
func packed(t *testing.T, dir, dockerfile string) []string {
	t.Helper()
	c, err := openContext(dir, dockerfile)
	noError(t, err)
	var buf bytes.Buffer
	noError(t, c.write(&buf))
	var out []string
	for r := tar.NewReader(&buf); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			slices.Sort(out)
			return out
		}
		noError(t, err)
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" {
			t.Errorf("%s belongs to %d:%d", h.Name, h.Uid, h.Gid)
		}
		content, err := io.ReadAll(r)
		noError(t, err)
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s%s", h.Name, h.Linkname, content)))
	}
}

func TestBuildContext(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"Dockerfile": "FROM scratch", "a": "A", "sub/b": "B", "sub/c.log": "C", "sub/keep.log": "K", "vendor/x": "X", "other/Dockerfile": "FROM other",
	} {
		noError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		noError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	noError(t, os.Symlink("../../etc/passwd", filepath.Join(dir, "link"))) // stays a link: what it leads to is the engine's
	noError(t, os.Symlink("sub", filepath.Join(dir, "folder")))
	everything := []string{
		"Dockerfile FROM scratch", "a A", "folder sub", "link ../../etc/passwd", "other/", "other/Dockerfile FROM other",
		"sub/", "sub/b B", "sub/c.log C", "sub/keep.log K", "vendor/", "vendor/x X",
	}
	outside := filepath.Join(t.TempDir(), "Dockerfile")
	noError(t, os.WriteFile(outside, []byte("FROM outside"), 0o600))
	for _, c := range []struct {
		name, ignore, dockerfile string
		want                     []string
	}{
		{"everything", "", "", everything},
		{"ignored", "*\n!sub\n**/*.log\n!sub/keep.log\n", "", []string{"Dockerfile FROM scratch", "sub/", "sub/b B", "sub/keep.log K"}},
		{"whole folders", "vendor\nother\nsub\nlink\nfolder\n# a comment\n", "", []string{"Dockerfile FROM scratch", "a A"}},
		{"another Dockerfile", "*", filepath.Join(dir, "other", "Dockerfile"), []string{"other/Dockerfile FROM other"}},
		{"one from elsewhere", "*", outside, []string{outsideDockerfile + " FROM outside"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ignore := filepath.Join(dir, ".dockerignore")
			noError(t, os.WriteFile(ignore, []byte(c.ignore), 0o600))
			got := slices.DeleteFunc(packed(t, dir, c.dockerfile), func(s string) bool { return strings.HasPrefix(s, ".dockerignore") })
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
	for what, open := range map[string]func() (buildContext, error){
		"no such file":                func() (buildContext, error) { return openContext(filepath.Join(dir, "none"), "") },
		"is no folder":                func() (buildContext, error) { return openContext(filepath.Join(dir, "a"), "") },
		"the Dockerfile: ":            func() (buildContext, error) { return openContext(filepath.Join(dir, "sub"), "") },
		"lstat nowhere: no such file": func() (buildContext, error) { return openContext(dir, "nowhere") },
	} {
		if _, err := open(); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("error %v, want %q", err, what)
		}
	}
}

func TestBuildContextIsBounded(t *testing.T) {
	dir := t.TempDir()
	noError(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch"), 0o600))
	noError(t, os.WriteFile(filepath.Join(dir, "disk"), nil, 0o600))
	noError(t, os.Truncate(filepath.Join(dir, "disk"), maxContext)) // a hole: it takes no space
	c, err := openContext(dir, "")
	noError(t, err)
	if err := c.write(io.Discard); err == nil || !strings.Contains(err.Error(), ".dockerignore") {
		t.Errorf("error %v, want that it is too much", err)
	}
}

func TestBaseImages(t *testing.T) {
	const file = "FROM registry.leme/a:1 AS x\n# FROM registry.leme/no\nfrom --platform=linux/amd64 registry.leme/team/b\n" +
		"COPY --from=registry.leme/c:1 /x /x\nFROM docker.io/d\nFROM registry.leme/${E}\nFROM x\n"
	var got []string
	for _, m := range baseImages.FindAllStringSubmatch(file, -1) {
		got = append(got, m[1])
	}
	if want := []string{"registry.leme/a:1", "registry.leme/team/b", "registry.leme/c:1"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

package command

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPlaces(t *testing.T) {
	t.Chdir(t.TempDir())
	noError(t, os.Mkdir("folder", 0o700))
	for s, want := range map[string]imagePlace{
		"hello:1.0":            {registryPlace, "hello:1.0"},
		"team/web":             {registryPlace, "team/web"},
		"docker.io/nginx:1.29": {registryPlace, "docker.io/nginx:1.29"},
		"docker://nginx:1.29":  {enginePlace, "nginx:1.29"},
		"hello.tar":            {archivePlace, "hello.tar"},
		"docker-archive:hello": {archivePlace, "hello"},
		"oci-archive:x.tar":    {layoutTarPlace, "x.tar"},
		"oci:layout":           {layoutPlace, "layout"},
		"./layout":             {layoutPlace, "./layout"},
		"/tmp/layout":          {layoutPlace, "/tmp/layout"},
		"layout/":              {layoutPlace, "layout/"},
		"folder":               {registryPlace, "folder"},
	} {
		if got := targetPlace(s); got != want {
			t.Errorf("target %s: %+v, want %+v", s, got, want)
		}
	}
	for s, want := range map[string]imagePlace{
		"hello:1.0":         {registryPlace, "hello:1.0"},
		"docker://hello":    {enginePlace, "hello"},
		"oci:layout":        {filePlace, "layout"},
		"oci-archive:x.tar": {filePlace, "x.tar"},
		"missing.tar":       {filePlace, "missing.tar"},
		"folder":            {filePlace, "folder"},
	} {
		if got := sourcePlace(s, registryPlace); got != want {
			t.Errorf("source %s: %+v, want %+v", s, got, want)
		}
	}
}

// TestImageCopies brings an image for two platforms through every sort of place, and finds the same one at the end.
func TestImageCopies(t *testing.T) {
	run := imageCluster(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	_, err := run("push", testPlatforms(t, at("source")), "web:1")
	noError(t, err)
	want, err := run("ls", "web", "-o", "wide")
	noError(t, err)
	for _, step := range [][]string{
		{"pull", "web:1", at("layout") + "/"},
		{"copy", at("layout"), "web:2"},
		{"copy", "web:2", "oci-archive:" + at("layout.tar")},
		{"rm", "web:1", "web:2"},
		{"push", at("layout.tar"), "web:1"},
	} {
		_, err := run(step...)
		noError(t, err)
	}
	if got, err := run("ls", "web", "-o", "wide"); err != nil || got != want {
		t.Errorf("it was\n%s\nand is, %v\n%s", want, err, got)
	}
	left, err := filepath.Glob(at(".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

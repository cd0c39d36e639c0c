package command

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// maxContext bounds what a build sends to the engine, in bytes of files.
const maxContext = 8 << 30

// outsideDockerfile is what a Dockerfile is called in a context that it does not lie in.
const outsideDockerfile = ".dockerfile.leme"

// buildContext is a folder that a Dockerfile is built in.
type buildContext struct {
	dir        string // without symlinks
	dockerfile string // in dir, with slashes; or outsideDockerfile
	outside    []byte // what that holds
	ignored    *patternmatcher.PatternMatcher
}

// openContext reads what a build in a folder leaves out. The Dockerfile is the folder's own unless one is named.
func openContext(dir, dockerfile string) (buildContext, error) {
	c := buildContext{}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no folder", dir)
	}
	if err == nil {
		c.dir, err = filepath.EvalSymlinks(dir)
	}
	if err == nil {
		c.dir, err = filepath.Abs(c.dir)
	}
	if err != nil {
		return c, fmt.Errorf("the build context: %w", err)
	}
	if dockerfile == "" {
		dockerfile = filepath.Join(c.dir, "Dockerfile")
	}
	if err := c.findDockerfile(dockerfile); err != nil {
		return c, fmt.Errorf("the Dockerfile: %w", err)
	}
	patterns, err := c.ignorePatterns()
	if err != nil {
		return c, err
	}
	if c.ignored, err = patternmatcher.New(patterns); err != nil {
		return c, fmt.Errorf(".dockerignore: %w", err)
	}
	return c, nil
}

func (c *buildContext) findDockerfile(path string) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	if in, err := filepath.Rel(c.dir, path); err == nil && filepath.IsLocal(in) {
		c.dockerfile = filepath.ToSlash(in)
		return nil
	}
	c.dockerfile = outsideDockerfile
	c.outside, err = os.ReadFile(path)
	return err
}

// ignorePatterns are those of the Dockerfile's own ignore file, or of the folder's. The engine needs both files itself.
func (c *buildContext) ignorePatterns() ([]string, error) {
	for _, name := range []string{c.dockerfile + ".dockerignore", ".dockerignore"} {
		f, err := os.Open(filepath.Join(c.dir, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		patterns, err := ignorefile.ReadAll(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return append(patterns, "!"+c.dockerfile, "!.dockerignore"), nil
	}
	return nil, nil
}

// instructions are the Dockerfile's.
func (c *buildContext) instructions() ([]byte, error) {
	if c.dockerfile == outsideDockerfile {
		return c.outside, nil
	}
	return os.ReadFile(filepath.Join(c.dir, filepath.FromSlash(c.dockerfile)))
}

// write makes a tar of the folder: root's, with links as links, and without what is ignored.
func (c *buildContext) write(w io.Writer) error {
	out := tar.NewWriter(w)
	room := int64(maxContext)
	err := filepath.WalkDir(c.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(c.dir, path)
		if err != nil || name == "." {
			return err
		}
		ignored, err := c.ignored.MatchesOrParentMatches(name)
		switch {
		case err != nil:
			return err
		case ignored && e.IsDir() && !c.ignored.Exclusions():
			return fs.SkipDir
		case ignored, e.Type()&fs.ModeSocket != 0:
			return nil
		}
		return c.add(out, path, filepath.ToSlash(name), &room)
	})
	if err == nil && c.outside != nil {
		err = out.WriteHeader(&tar.Header{Name: outsideDockerfile, Mode: 0o600, Size: int64(len(c.outside))})
		if err == nil {
			_, err = out.Write(c.outside)
		}
	}
	return errors.Join(err, out.Close())
}

func (c *buildContext) add(out *tar.Writer, path, name string, room *int64) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	link := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if link, err = os.Readlink(path); err != nil {
			return err
		}
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	h.Name, h.Uid, h.Gid, h.Uname, h.Gname = name, 0, 0, "", ""
	if info.IsDir() {
		h.Name += "/"
	}
	if !info.Mode().IsRegular() {
		return out.WriteHeader(h)
	}
	if *room -= info.Size(); *room < 0 {
		return fmt.Errorf("the build context has more than %s: name in .dockerignore what the build does not need", humanSize(maxContext))
	}
	if err := out.WriteHeader(h); err != nil {
		return err
	}
	return copyFile(out, path, info.Size())
}

// copyFile copies as much as a file had when its header was written.
func copyFile(w io.Writer, path string, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.CopyN(w, f, size); err != nil {
		return fmt.Errorf("%s: %w", strings.TrimPrefix(path, "./"), err)
	}
	return nil
}

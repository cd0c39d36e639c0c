// Package imagevolume keeps the files of images in directories, for pods that mount images as volumes.
//
//	store, err := imagevolume.Open(imagevolume.Config{Dir: home + "/agent/images/unpacked", Pods: home + "/agent/pods", Engine: engine})
//	go store.Run(ctx)
//	dir, err := store.Use(ctx, imageID, home+"/agent/pods/<uid>/images/<name>")
//
// It exists because few engines can mount an image. The engine gives an image as an archive (archive.go), whose layers are
// laid over each other (layer.go, entry.go) in a directory named by the image's digest. That has its name once it is whole, all
// pods share it, and it goes when none has used it for a while. What uses it says so by a directory of the same name
// in the pod's volume, so that an agent that starts knows it too:
//
//	images/unpacked/sha256-<hex>/root            the files
//	pods/<uid>/images/<name>/sha256-<hex>        a volume shows them
package imagevolume

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

// Engine has the images.
type Engine interface {
	// SaveImage gives an image as an archive, as docker save does.
	SaveImage(ctx context.Context, id string) (io.ReadCloser, error)
}

// Config is what a store needs. Dir, Pods and Engine must be set.
type Config struct {
	Dir    string // of the store; one process at a time may use it
	Pods   string // where pods' directories are
	Engine Engine
	Keep   time.Duration // that files stay which no pod uses; default 1 hour
	Limits Limits
	Logger *slog.Logger // default: slog.Default()
}

// Store is the directories. It is safe for concurrent use.
type Store struct {
	Config
	turn chan struct{} // held by who unpacks: one archive at a time is on the disk
	mu   sync.Mutex    // held by who says that files are in use, or looks whether they are
}

const (
	unfinished = ".new-"
	going      = ".old-"
	rootName   = "root"
)

// Open makes a store, and removes what a killed one left behind.
func Open(c Config) (*Store, error) {
	if c.Keep == 0 {
		c.Keep = time.Hour
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Limits.setDefaults()
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("image volumes: %w", err)
	}
	s := &Store{Config: c, turn: make(chan struct{}, 1)}
	return s, s.sweep()
}

// sweep removes what was begun and not finished.
func (s *Store) sweep() error {
	entries, err := os.ReadDir(s.Dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			err = errors.Join(err, os.RemoveAll(filepath.Join(s.Dir, e.Name())))
		}
	}
	return err
}

// Use gives the directory with the files of an image that the engine has. It stays while volume, a directory of a pod's,
// is there. Nobody may write to it.
func (s *Store) Use(ctx context.Context, imageID, volume string) (string, error) {
	name, err := nameOf(imageID)
	if err != nil {
		return "", err
	}
	if err := s.mark(filepath.Join(volume, name)); err != nil {
		return "", err
	}
	dir := filepath.Join(s.Dir, name)
	root := filepath.Join(dir, rootName)
	if there, err := exists(dir); there || err != nil {
		return root, err
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if there, err := exists(dir); there || err != nil { // by now
		return root, err
	}
	return root, s.unpack(ctx, imageID, dir)
}

// nameOf is what an image's directory is called; the image's ID is its digest.
func nameOf(imageID string) (string, error) {
	d, err := digest.Parse(imageID)
	if err != nil {
		return "", fmt.Errorf("image %q has no digest: %w", imageID, err)
	}
	return d.Algorithm().String() + "-" + d.Encoded(), nil
}

func (s *Store) mark(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return os.MkdirAll(path, 0o750)
}

func exists(dir string) (bool, error) {
	_, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// unpack makes an image's directory. It is on the disk before it has its name.
func (s *Store) unpack(ctx context.Context, imageID, dir string) error {
	work, err := os.MkdirTemp(s.Dir, unfinished)
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	root := filepath.Join(work, rootName)
	if err := os.Mkdir(root, 0o755); err != nil {
		return err
	}
	begin := time.Now()
	if err := s.fill(ctx, imageID, work, root); err != nil {
		return fmt.Errorf("unpacking image %s: %w", imageID, err)
	}
	if err := syncAll(root); err != nil {
		return err
	}
	s.Logger.Info("unpacked an image for volumes", "image", imageID, "took", time.Since(begin).Round(time.Millisecond))
	return os.Rename(work, dir)
}

// InUse lists the IDs of the images whose files volumes show.
func (s *Store) InUse() ([]string, error) {
	marks, err := s.marks()
	var ids []string
	for name := range marks {
		ids = append(ids, strings.Replace(name, "-", ":", 1))
	}
	slices.Sort(ids)
	return ids, err
}

// marks are the names of the directories that volumes show.
func (s *Store) marks() (map[string]bool, error) {
	paths, err := filepath.Glob(filepath.Join(s.Pods, "*", "images", "*", "sha*-*"))
	found := map[string]bool{}
	for _, p := range paths {
		found[filepath.Base(p)] = true
	}
	return found, err
}

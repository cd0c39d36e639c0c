// Package staticpod reads pods from files on the node: those that run there whether there is a server or not.
//
// A file holds one Pod as YAML or JSON. Its name becomes that of the file's pod and the node's, its UID a hash of what
// the file says, so that a changed file is another pod. A file that cannot be used is told of, once for each thing that
// is wrong with it; if its pod runs from before, that goes on.
//
//	source := staticpod.Source{Path: "/etc/leme/manifests", Node: "n1", Prepare: prepare, Wrong: tell, Logger: log}
//	err := source.Run(ctx, manager.SetStatic)
package staticpod

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Source is a folder of files, or one file. All fields must be set.
type Source struct {
	Path string
	Node string
	// Prepare sets what a pod leaves out, and says what is wrong with it, as the server would.
	Prepare func(*corev1.Pod) error
	// Wrong is told of each file that cannot be used, in one sentence.
	Wrong  func(message string)
	Logger *slog.Logger
}

// Run gives set all pods of the files, first before anything else and then after each change, until the context ends.
func (s Source) Run(ctx context.Context, set func([]*corev1.Pod)) error {
	r := reader{Source: s, good: map[string]*corev1.Pod{}, told: map[string]string{}}
	changes := s.watch()
	defer changes.close()
	for {
		changes.follow(s.Path) // before it is read, so that nothing is missed
		if pods, ok := r.read(time.Now()); ok {
			set(pods)
		}
		if !changes.wait(ctx) {
			return nil
		}
	}
}

// reader is a source with what it has read before.
type reader struct {
	Source
	good map[string]*corev1.Pod // by file: the last pod that could be used
	told map[string]string      // by file: what was wrong with it
	now  map[string]string      // and is, as far as it has been read again
}

// read gives the pods of all files, in the order of their names; ok is false when the folder cannot be read, which says
// nothing of its pods. A folder that is not there has none.
func (r *reader) read(now time.Time) (pods []*corev1.Pod, ok bool) {
	r.now = map[string]string{}
	defer func() { r.told = r.now }()
	files, err := r.files()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.complain(r.Path, "it does not exist")
	case err != nil:
		r.complain(r.Path, err.Error())
		return nil, false
	}
	good, owner := map[string]*corev1.Pod{}, map[string]string{}
	for _, file := range files {
		p := r.pod(file, now)
		if p == nil {
			continue
		}
		name := p.Namespace + "/" + p.Name
		if first, taken := owner[name]; taken {
			r.complain(file, fmt.Sprintf("its pod %s is that of %s", name, first))
			continue
		}
		owner[name], good[file] = file, p
		pods = append(pods, p)
	}
	r.good = good
	return pods, true
}

// files lists what may hold a pod: all files of the folder whose names do not begin with a dot.
func (r *reader) files() ([]string, error) {
	info, err := os.Stat(r.Path)
	if err != nil || !info.IsDir() {
		return []string{r.Path}, err
	}
	entries, err := os.ReadDir(r.Path)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			files = append(files, filepath.Join(r.Path, e.Name()))
		}
	}
	return files, nil
}

// pod reads one file; nil when it has none that can be used. The same pod stays the same object.
func (r *reader) pod(file string, now time.Time) *corev1.Pod {
	text, err := readFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it has gone since the folder was read
	}
	before := r.good[file]
	var p *corev1.Pod
	if err == nil {
		p, err = decode(text, file, r.Node, r.Prepare)
	}
	if err != nil {
		r.complain(file, err.Error())
		return before
	}
	if before != nil && before.UID == p.UID {
		return before
	}
	p.Annotations[seenAnnotation] = now.Format(time.RFC3339Nano)
	return p
}

// complain tells once what is wrong with a file.
func (r *reader) complain(file, problem string) {
	r.now[file] = problem
	if r.told[file] == problem {
		return
	}
	r.Logger.Warn("a manifest of a static pod cannot be used", "file", file, "error", problem)
	r.Wrong(fmt.Sprintf("Manifest %s cannot be used: %s", file, problem))
}

package pull

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
)

// registriesReader reads a registries.yaml again when it has changed.
type registriesReader struct {
	path string // empty: there is none
	log  *slog.Logger

	mu      sync.Mutex
	read    []byte
	current *setup
}

// setup is what one reading of the file comes to.
type setup struct {
	*Registries
	hosts *hosts
}

// openRegistries reads the file for the first time; one that is wrong is an error then.
func openRegistries(path string, make func(*Registries) *hosts, log *slog.Logger) (*registriesReader, error) {
	r := &registriesReader{path: path, log: log}
	data, err := r.data()
	if err != nil {
		return nil, err
	}
	parsed, err := ParseRegistries(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r.read, r.current = data, &setup{parsed, make(parsed)}
	return r, nil
}

func (r *registriesReader) data() ([]byte, error) {
	if r.path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// now gives what the file says now. What was said before goes on while it cannot be read.
func (r *registriesReader) now(make func(*Registries) *hosts) *setup {
	r.mu.Lock()
	defer r.mu.Unlock()
	data, err := r.data()
	if err != nil || bytes.Equal(data, r.read) {
		if err != nil {
			r.log.Error("reading the registries' configuration", "err", err)
		}
		return r.current
	}
	r.read = data
	parsed, err := ParseRegistries(data)
	if err != nil {
		r.log.Error("the registries' configuration is wrong; what it said before goes on", "file", r.path, "err", oneLine(err.Error()))
		return r.current
	}
	r.log.Info("read the registries' configuration again", "file", r.path)
	r.current.hosts.close()
	r.current = &setup{parsed, make(parsed)}
	return r.current
}

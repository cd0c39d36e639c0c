package shell

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"leme/shell/line"
)

// openRedirect opens the file of a redirection; new ones are the user's and others', as the umask has it.
func openRedirect(r line.Redirect) (*os.File, error) {
	flags := os.O_RDONLY
	switch {
	case r.Stream != 0 && r.Append:
		flags = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	case r.Stream != 0:
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(r.Path, flags, 0o666)
	if err != nil {
		return nil, fmt.Errorf("redirecting: %w", err)
	}
	return f, nil
}

// files are the streams of one command in this process, and what must be closed behind it.
type files struct {
	streams genericiooptions.IOStreams
	opened  []*os.File
}

func openStreams(redirects []line.Redirect, standard genericiooptions.IOStreams) (*files, error) {
	f := &files{streams: standard}
	for _, r := range redirects {
		switch {
		case r.Merge:
			f.streams.ErrOut = f.streams.Out
			continue
		case r.Stream == 0 && r.Path == "":
			f.streams.In = strings.NewReader(r.Text)
			continue
		}
		file, err := openRedirect(r)
		if err != nil {
			_ = f.close()
			return nil, err
		}
		f.opened = append(f.opened, file)
		switch r.Stream {
		case 0:
			f.streams.In = file
		case 1:
			f.streams.Out = file
		case 2:
			f.streams.ErrOut = file
		}
	}
	return f, nil
}

func (f *files) close() error {
	var errs []error
	for _, file := range f.opened {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}

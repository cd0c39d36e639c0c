package pod

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
)

// maxEnvFile bounds what is read of a file of variables, in bytes.
const maxEnvFile = 1 << 20

// fileKey resolves a reference to a variable in a file that an earlier container of the pod left in a volume. The volume
// is in that container's hands: what it names is opened below the volume only, and read only when it is a file.
func (r resolver) fileKey(ref *corev1.FileKeySelector) (value string, ok bool, err error) {
	optional := ref.Optional != nil && *ref.Optional
	path, found := r.volumes[ref.VolumeName]
	if !found {
		return "", false, fmt.Errorf("cannot find the volume %q referenced by FileKeyRef", ref.VolumeName)
	}
	text, err := readBelow(path, ref.Path)
	if optional && errors.Is(err, os.ErrNotExist) {
		return "", false, nil
	}
	if err == nil {
		value, err = variableIn(text, ref.Key)
	}
	if err != nil {
		return "", false, fmt.Errorf("couldn't parse env file %q of volume %q: %w", ref.Path, ref.VolumeName, err)
	}
	if value == "" && !optional {
		return "", false, fmt.Errorf("environment variable key %q not found in file %q", ref.Key, ref.Path)
	}
	return value, value != "", nil
}

func readBelow(dir, path string) (string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	file, err := root.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // a pipe must not make us wait
	if err != nil {
		return "", err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", errors.Join(err, errors.New("it is no regular file"))
	}
	text, err := io.ReadAll(io.LimitReader(file, maxEnvFile+1))
	if len(text) > maxEnvFile {
		return "", fmt.Errorf("it is larger than %d bytes", maxEnvFile)
	}
	return string(text), err
}

// variableIn finds a variable in the part of a POSIX shell's syntax that Kubernetes takes: NAME='value', the value in
// single quotes, over several lines where it has to be, with comments and blank lines between. It is empty when it is
// not there; what is wrong before it is an error, what comes after it is not looked at.
func variableIn(text, key string) (string, error) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	for at := 1; text != ""; {
		line, rest, _ := strings.Cut(text, "\n")
		line = strings.TrimLeft(line, " \t")
		if line == "" || line[0] == '#' {
			text, at = rest, at+1
			continue
		}
		name, value, err := assignment(line)
		if err != nil {
			return "", fmt.Errorf("line %d: %w", at, err)
		}
		if value == "" || value[0] != '\'' { // nothing, for a shell, as a blank follows
			value = ""
		} else if value, rest, err = quoted(text[strings.IndexByte(text, '\'')+1:]); err != nil {
			return "", fmt.Errorf("line %d: %w", at, err)
		}
		if name == key {
			return value, nil
		}
		text, at = rest, at+1+strings.Count(value, "\n")
	}
	return "", nil
}

// assignment splits a line into the variable's name and what is assigned, up to the line's end.
func assignment(line string) (name, value string, err error) {
	name, value, found := strings.Cut(line, "=")
	switch {
	case !found:
		return "", "", errors.New("missing '='")
	case name == "":
		return "", "", errors.New("empty variable name")
	case strings.TrimRight(name, " \t") != name:
		return "", "", errors.New("whitespace before '=' is not allowed")
	case !strings.HasPrefix(value, "'") && !strings.HasPrefix(value, " ") && !strings.HasPrefix(value, "\t"):
		return "", "", errors.New("value must be enclosed in single quotes")
	}
	return name, value, nil
}

// quoted splits what follows a quote into the value, up to the closing quote, and the lines after it.
func quoted(text string) (value, rest string, err error) {
	value, rest, closed := strings.Cut(text, "'")
	if !closed {
		return "", "", errors.New("unclosed single quote")
	}
	after, rest, _ := strings.Cut(rest, "\n")
	if after = strings.TrimLeft(after, " \t"); after != "" && after[0] != '#' {
		return "", "", errors.New("unexpected content after closing quote")
	}
	return value, rest, nil
}

package shell

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxHistory is how many lines the history keeps. The file may hold twice as many until it is trimmed.
const maxHistory = 5000

// history is the lines entered, over all sessions. It is a file of one entry a line, line ends and backslashes escaped;
// the user alone may read it. Sessions side by side take turns by a lock beside it.
type history struct {
	path    string
	entries []string // oldest first; this session's with their secrets
}

// openHistory reads the history. A file that is not there yet is an empty one.
func openHistory(path string) (*history, error) {
	h := &history{path: path}
	entries, err := readHistory(path)
	if err != nil {
		return h, err
	}
	h.entries = entries
	if len(entries) <= 2*maxHistory {
		h.entries = last(entries, maxHistory)
		return h, nil
	}
	h.entries = last(entries, maxHistory)
	return h, h.trim()
}

func readHistory(path string) ([]string, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the history: %w", err)
	}
	defer f.Close()
	var entries []string
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxCommand)
	for lines.Scan() {
		if entry := unescaped.Replace(lines.Text()); entry != "" {
			entries = append(entries, entry)
		}
	}
	if err := lines.Err(); err != nil {
		return entries, fmt.Errorf("reading the history: %w", err)
	}
	return entries, nil
}

var (
	escaped   = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	unescaped = strings.NewReplacer(`\\`, `\`, `\n`, "\n")
)

// Add appends an entry, unless it is the one before again or begins with a blank. Secrets stay out of the file.
func (h *history) Add(entry string) error {
	if entry == "" || strings.HasPrefix(entry, " ") || (len(h.entries) > 0 && h.entries[len(h.entries)-1] == entry) {
		return nil
	}
	h.entries = last(append(h.entries, entry), maxHistory)
	safe := redact(entry)
	if safe == "" {
		return nil
	}
	return h.locked(func() error {
		f, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = f.WriteString(escaped.Replace(safe) + "\n")
		return errors.Join(err, f.Close())
	})
}

// trim rewrites the file with the newest entries of all sessions.
func (h *history) trim() error {
	return h.locked(func() error {
		entries, err := readHistory(h.path)
		if err != nil {
			return err
		}
		var text strings.Builder
		for _, e := range last(entries, maxHistory) {
			text.WriteString(escaped.Replace(e) + "\n")
		}
		fresh := h.path + ".new"
		if err := os.WriteFile(fresh, []byte(text.String()), 0o600); err != nil {
			return err
		}
		return os.Rename(fresh, h.path)
	})
}

// locked runs change while no other session changes the file.
func (h *history) locked(change func() error) error {
	if err := os.MkdirAll(filepath.Dir(h.path), 0o700); err != nil {
		return fmt.Errorf("keeping the history: %w", err)
	}
	lock, err := os.OpenFile(h.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("keeping the history: %w", err)
	}
	defer lock.Close() // and with it the lock
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("keeping the history: %w", err)
	}
	if err := change(); err != nil {
		return fmt.Errorf("keeping the history: %w", err)
	}
	return nil
}

func last(entries []string, n int) []string { return entries[max(0, len(entries)-n):] }

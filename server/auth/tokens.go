package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
)

// Tokens are the static bearer tokens of a file in Kubernetes' form: one `token,user,uid,"group,group"` a line.
// The file is read again when it changes, so that a token can be added or taken away while the server runs.
type Tokens struct {
	path string

	mu      sync.Mutex
	modTime time.Time
	size    int64
	entries []token
}

type token struct {
	digest [sha256.Size]byte
	user   User
}

// OpenTokens reads the file, making it with one admin token where there is none.
func OpenTokens(path string) (*Tokens, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		secret := make([]byte, 32)
		if _, err := rand.Read(secret); err != nil {
			return nil, fmt.Errorf("making the admin token: %w", err)
		}
		line := fmt.Sprintf("%s,%s,,%q\n", hex.EncodeToString(secret), AdminUser, GroupMasters)
		if err := writeFile(path, []byte(line), 0o600); err != nil {
			return nil, err
		}
	}
	t := &Tokens{path: path}
	if _, err := t.current(); err != nil {
		return nil, err
	}
	return t, nil
}

// Lookup finds a token's user. It compares with every token there is, each in constant time.
func (t *Tokens) Lookup(secret string) (u User, ok bool, err error) {
	entries, err := t.current()
	if err != nil {
		return User{}, false, err
	}
	digest := sha256.Sum256([]byte(secret))
	for _, e := range entries {
		if subtle.ConstantTimeCompare(e.digest[:], digest[:]) == 1 {
			u, ok = e.user, true
		}
	}
	return u, ok, nil
}

// verify is the Verifier of static tokens.
func (t *Tokens) verify(secret string) (User, bool, error) { return t.Lookup(secret) }

func (t *Tokens) current() ([]token, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	info, err := os.Stat(t.path)
	if err != nil {
		return nil, fmt.Errorf("reading the tokens: %w", err)
	}
	if t.entries != nil && info.ModTime().Equal(t.modTime) && info.Size() == t.size {
		return t.entries, nil
	}
	f, err := os.Open(t.path)
	if err != nil {
		return nil, fmt.Errorf("reading the tokens: %w", err)
	}
	defer f.Close()
	entries, err := parseTokens(f)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", t.path, err)
	}
	t.entries, t.modTime, t.size = entries, info.ModTime(), info.Size()
	return entries, nil
}

func parseTokens(r io.Reader) ([]token, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	in.Comment = '#'
	in.TrimLeadingSpace = true
	entries := []token{}
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := in.FieldPos(0)
		if len(record) < 3 || record[0] == "" || record[1] == "" {
			return nil, fmt.Errorf("line %d is not token,user,uid[,groups]", line)
		}
		e := token{digest: sha256.Sum256([]byte(record[0])), user: User{Name: record[1], UID: record[2]}}
		if len(record) > 3 && record[3] != "" {
			e.user.Groups = strings.Split(record[3], ",")
		}
		entries = append(entries, e)
	}
}

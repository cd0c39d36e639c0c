package auth

import (
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestAuthenticateTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte("s3cret,jane,u1,\"dev,ops\"\nother,joe,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens, err := OpenTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	authn := NewAuthenticator(tokens)
	for _, tt := range []struct {
		name string
		set  func(*http.Request)
		user string
		ok   bool
		bad  bool
	}{
		{"nothing", func(*http.Request) {}, "", false, false},
		{"bearer", func(r *http.Request) { r.Header.Set("Authorization", "Bearer s3cret") }, "jane", true, false},
		{"second bearer", func(r *http.Request) { r.Header.Set("Authorization", "bearer other") }, "joe", true, false},
		{"unknown bearer", func(r *http.Request) { r.Header.Set("Authorization", "Bearer guess") }, "", false, true},
		{"basic with any user", func(r *http.Request) { r.SetBasicAuth("whoever", "s3cret") }, "jane", true, false},
		{"basic with a wrong password", func(r *http.Request) { r.SetBasicAuth("jane", "") }, "", false, true},
		{"another scheme", func(r *http.Request) { r.Header.Set("Authorization", "Digest x") }, "", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			tt.set(r)
			u, ok, err := authn.Authenticate(r)
			if u.Name != tt.user || ok != tt.ok || (err != nil) != tt.bad {
				t.Errorf("got %v %v %v", u, ok, err)
			}
			if ok && u.Groups[len(u.Groups)-1] != GroupAuthenticated {
				t.Errorf("groups %v", u.Groups)
			}
		})
	}
}

func TestTokensAreMadeOnceAndReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	tokens, err := OpenTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	line, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	admin, _, _ := strings.Cut(string(line), ",")
	if u, ok, err := tokens.Lookup(admin); err != nil || !ok || u.Name != AdminUser || !slices.Contains(u.Groups, GroupMasters) {
		t.Errorf("the first token is of %v, %v", u, err)
	}
	if again, err := OpenTokens(path); err != nil {
		t.Error(err)
	} else if _, ok, _ := again.Lookup(admin); !ok {
		t.Error("the token changed")
	}
	if err := os.WriteFile(path, []byte("# now another\nnew,admin,,system:masters\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := tokens.Lookup(admin); ok {
		t.Error("the old token is still good")
	}
	if _, ok, _ := tokens.Lookup("new"); !ok {
		t.Error("the new token is not known")
	}
}

func FuzzParseTokens(f *testing.F) {
	f.Add("a,b,c,\"d,e\"\n")
	f.Add("\"")
	f.Fuzz(func(t *testing.T, s string) {
		entries, err := parseTokens(strings.NewReader(s))
		if err != nil {
			return
		}
		for _, e := range entries {
			if e.digest == sha256.Sum256(nil) || e.user.Name == "" {
				t.Errorf("an empty secret or user: %+v", e)
			}
		}
	})
}

package object

import (
	"context"
	"fmt"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

const (
	renewAt    = 0.8            // of a token's life
	renewAfter = 24 * time.Hour // at the latest
	renewAgain = time.Minute    // when the server did not give a new one
	clockEvery = time.Minute    // how often the wall clock is looked at: it may have been set
	clockSlack = time.Minute    // by which clocks may differ
)

// tokens holds the tokens of pods' service accounts, and tells a pod when it is time for its next one.
type tokens struct {
	client kubernetes.Interface
	notify func(types.UID)
	now    func() time.Time

	mu   sync.Mutex
	held map[tokenKey]*token
}

// tokenKey is one token of a pod: containers may want several, for others than the API or for another time.
type tokenKey struct {
	pod      types.UID
	audience string
	seconds  int64
}

// token is one with its times by the wall clock, as those who check it go by that.
type token struct {
	secret                 string
	issued, renew, expires time.Time
	reminder               *time.Timer
}

// due says whether there should be another one: its time has come, or the clock was set back and it is not good yet.
func (t *token) due(now time.Time) bool {
	return !now.Before(t.renew) || now.Add(clockSlack).Before(t.issued)
}

func newTokens(client kubernetes.Interface, notify func(types.UID)) *tokens {
	return &tokens{client: client, notify: notify, now: time.Now, held: map[tokenKey]*token{}}
}

// Token is a token of a pod's service account as a volume's source asks for it. It is bound to the pod, kept for most
// of its life, and then asked for anew; the pod is notified when that is due.
func (v View) Token(ctx context.Context, pod *corev1.Pod, source *corev1.ServiceAccountTokenProjection) (string, error) {
	return v.cache.tokens.get(ctx, pod, source)
}

func (t *tokens) get(ctx context.Context, pod *corev1.Pod, source *corev1.ServiceAccountTokenProjection) (string, error) {
	key := tokenKey{pod: pod.UID, audience: source.Audience}
	if source.ExpirationSeconds != nil {
		key.seconds = *source.ExpirationSeconds
	}
	t.mu.Lock()
	old := t.held[key]
	t.mu.Unlock()
	now := t.wall()
	if old != nil && !old.due(now) {
		return old.secret, nil
	}
	fresh, err := t.request(ctx, pod, source)
	switch {
	case err == nil:
	case old != nil && now.Before(old.expires):
		fresh = &token{secret: old.secret, issued: old.issued, renew: now.Add(renewAgain), expires: old.expires}
	default:
		return "", fmt.Errorf("failed to fetch token: %w", err)
	}
	t.hold(key, fresh)
	return fresh.secret, nil
}

func (t *tokens) request(ctx context.Context, pod *corev1.Pod, source *corev1.ServiceAccountTokenProjection) (*token, error) {
	account := pod.Spec.ServiceAccountName
	r := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: source.ExpirationSeconds,
		BoundObjectRef:    &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID},
	}}
	if source.Audience != "" {
		r.Spec.Audiences = []string{source.Audience}
	}
	asked := t.wall()
	made, err := t.client.CoreV1().ServiceAccounts(pod.Namespace).CreateToken(ctx, account, r, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	expires := made.Status.ExpirationTimestamp.Time
	life := time.Duration(float64(expires.Sub(asked)) * renewAt)
	return &token{secret: made.Status.Token, issued: asked, renew: asked.Add(min(life, renewAfter)), expires: expires}, nil
}

// wall is the time without what time.Time knows beside it: the clock's own.
func (t *tokens) wall() time.Time { return t.now().Round(0) }

// watchClock tells pods of tokens that are due since somebody has set the clock: their reminders do not know of that.
func (t *tokens) watchClock(ctx context.Context) {
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for pod := range t.overdue() {
				t.notify(pod)
			}
		}
	}
}

// overdue are the pods that should have asked for another token by now.
func (t *tokens) overdue() map[types.UID]bool {
	now := t.wall()
	t.mu.Lock()
	defer t.mu.Unlock()
	pods := map[types.UID]bool{}
	for key, held := range t.held {
		if held.due(now) {
			pods[key.pod] = true
		}
	}
	return pods
}

// hold keeps a token in the place of its predecessor.
func (t *tokens) hold(key tokenKey, fresh *token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.held[key]; old != nil {
		old.reminder.Stop()
	}
	fresh.reminder = time.AfterFunc(fresh.renew.Sub(t.wall()), func() { t.notify(key.pod) })
	t.held[key] = fresh
}

// release forgets a pod's tokens.
func (t *tokens) release(pod types.UID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, held := range t.held {
		if key.pod == pod {
			held.reminder.Stop()
			delete(t.held, key)
		}
	}
}

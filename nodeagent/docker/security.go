package docker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/container"
	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/pod"
)

// applySecurity translates the security contexts of the pod and the container; the container's own fields win.
func (r *Runtime) applySecurity(ctx context.Context, s pod.Spec, config *container.Config, host *container.HostConfig) error {
	p, c := s.Pod.Spec.SecurityContext, s.Container.SecurityContext
	if p == nil {
		p = &corev1.PodSecurityContext{}
	}
	if c == nil {
		c = &corev1.SecurityContext{}
	}
	var err error
	if config.User, host.GroupAdd, err = r.who(ctx, s.ImageID, p, c); err != nil {
		return err
	}
	host.Privileged = c.Privileged != nil && *c.Privileged
	host.ReadonlyRootfs = c.ReadOnlyRootFilesystem != nil && *c.ReadOnlyRootFilesystem
	if c.Capabilities != nil {
		host.CapAdd, host.CapDrop = capabilities(c.Capabilities.Add), capabilities(c.Capabilities.Drop)
	}
	if c.ProcMount != nil && *c.ProcMount == corev1.UnmaskedProcMount {
		host.MaskedPaths, host.ReadonlyPaths = []string{}, []string{}
	}
	host.SecurityOpt, err = r.securityOptions(p, c)
	return err
}

func first[T any](choices ...*T) *T {
	for _, c := range choices {
		if c != nil {
			return c
		}
	}
	return nil
}

// who is the user that a container runs as, "uid", "uid:gid" or empty for the image's own, and its supplementary groups
// beside those that the engine finds for it: the engine adds the image's groups where no group is given, and only there.
func (r *Runtime) who(ctx context.Context, imageID string, p *corev1.PodSecurityContext, c *corev1.SecurityContext) (name string, more []string, err error) {
	uid, gid := first(c.RunAsUser, p.RunAsUser), first(c.RunAsGroup, p.RunAsGroup)
	strict := p.SupplementalGroupsPolicy != nil && *p.SupplementalGroupsPolicy == corev1.SupplementalGroupsPolicyStrict
	if uid != nil {
		name = strconv.FormatInt(*uid, 10)
	}
	if gid == nil && !strict {
		return name, groups(p), nil
	}
	spec := name
	if uid == nil {
		if spec, err = r.imageUser(ctx, imageID); err != nil {
			return "", nil, err
		}
	}
	if gid != nil {
		spec, _, _ = strings.Cut(spec, ":")
	}
	account, err := r.account(ctx, imageID, spec)
	if err != nil {
		return "", nil, err
	}
	primary := int64(account.Gid)
	if gid != nil {
		primary = *gid
	}
	if !strict {
		more = numbers(account.Sgids)
	}
	return fmt.Sprintf("%d:%d", account.Uid, primary), append(more, groups(p)...), nil
}

// imageUser is whom an image's programs run as.
func (r *Runtime) imageUser(ctx context.Context, imageID string) (string, error) {
	image, err := r.engine.ImageInspect(ctx, imageID)
	if err != nil {
		return "", fmt.Errorf("looking up the image's user: %w", err)
	}
	if image.Config == nil || image.Config.User == "" {
		return "0", nil
	}
	return image.Config.User, nil
}

func groups(p *corev1.PodSecurityContext) []string {
	var all []string
	if p.FSGroup != nil {
		all = append(all, strconv.FormatInt(*p.FSGroup, 10))
	}
	for _, g := range p.SupplementalGroups {
		all = append(all, strconv.FormatInt(g, 10))
	}
	return all
}

func capabilities(list []corev1.Capability) []string {
	var all []string
	for _, c := range list {
		all = append(all, string(c))
	}
	return all
}

func (r *Runtime) securityOptions(p *corev1.PodSecurityContext, c *corev1.SecurityContext) ([]string, error) {
	var options []string
	if c.AllowPrivilegeEscalation != nil && !*c.AllowPrivilegeEscalation {
		options = append(options, "no-new-privileges:true")
	}
	seccomp, err := r.seccomp(first(c.SeccompProfile, p.SeccompProfile))
	if err != nil {
		return nil, err
	}
	options = append(options, seccomp...)
	options = append(options, appArmor(first(c.AppArmorProfile, p.AppArmorProfile))...)
	return append(options, seLinux(first(c.SELinuxOptions, p.SELinuxOptions))...), nil
}

// seccomp leaves the engine's default profile on where nothing is asked for, as a kubelet with seccompDefault does.
func (r *Runtime) seccomp(profile *corev1.SeccompProfile) ([]string, error) {
	if profile == nil {
		return nil, nil
	}
	switch profile.Type {
	case corev1.SeccompProfileTypeUnconfined:
		return []string{"seccomp=unconfined"}, nil
	case corev1.SeccompProfileTypeLocalhost:
		if profile.LocalhostProfile == nil || !filepath.IsLocal(*profile.LocalhostProfile) {
			return nil, fmt.Errorf("seccompProfile.localhostProfile must be a path below %s", r.SeccompDir)
		}
		content, err := os.ReadFile(filepath.Join(r.SeccompDir, *profile.LocalhostProfile))
		if err != nil {
			return nil, fmt.Errorf("reading the seccomp profile: %w", err)
		}
		return []string{"seccomp=" + string(content)}, nil
	}
	return nil, nil
}

func appArmor(profile *corev1.AppArmorProfile) []string {
	switch {
	case profile == nil:
	case profile.Type == corev1.AppArmorProfileTypeUnconfined:
		return []string{"apparmor=unconfined"}
	case profile.Type == corev1.AppArmorProfileTypeLocalhost && profile.LocalhostProfile != nil:
		return []string{"apparmor=" + *profile.LocalhostProfile}
	}
	return nil
}

func seLinux(o *corev1.SELinuxOptions) []string {
	if o == nil {
		return nil
	}
	var options []string
	for _, part := range []struct{ key, value string }{
		{"user", o.User}, {"role", o.Role}, {"type", o.Type}, {"level", o.Level},
	} {
		if part.value != "" {
			options = append(options, "label="+part.key+":"+part.value)
		}
	}
	return options
}

package resource

import (
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// enforceMountable is the annotation of accounts whose pods may use no other secrets than those that the account names.
const enforceMountable = "kubernetes.io/enforce-mountable-secrets"

// mountable are the secrets that an account's pods may use; ok is false when they may use all.
func mountable(account *corev1.ServiceAccount) (allowed map[string]bool, ok bool) {
	if enforced, _ := strconv.ParseBool(account.Annotations[enforceMountable]); !enforced {
		return nil, false
	}
	allowed = map[string]bool{}
	for _, s := range account.Secrets {
		allowed[s.Name] = true
	}
	return allowed, true
}

// mountsOnly refuses a pod that uses secrets which its account does not name, if the account insists.
func mountsOnly(account *corev1.ServiceAccount, pod *corev1.Pod) error {
	allowed, ok := mountable(account)
	if !ok {
		return nil
	}
	for _, v := range pod.Spec.Volumes {
		if v.Secret != nil && !allowed[v.Secret.SecretName] {
			return fmt.Errorf("volume with secret.secretName=%q is not allowed because service account %s does not reference that secret", v.Secret.SecretName, account.Name)
		}
	}
	for _, c := range pod.Spec.InitContainers {
		if err := readsOnly(account.Name, allowed, "init container "+c.Name, c.Env, c.EnvFrom); err != nil {
			return err
		}
	}
	for _, c := range pod.Spec.Containers {
		if err := readsOnly(account.Name, allowed, "container "+c.Name, c.Env, c.EnvFrom); err != nil {
			return err
		}
	}
	pulls := map[string]bool{}
	for _, s := range account.ImagePullSecrets {
		pulls[s.Name] = true
	}
	for i, s := range pod.Spec.ImagePullSecrets {
		if !pulls[s.Name] {
			return fmt.Errorf("imagePullSecrets[%d].name=%q is not allowed because service account %s does not reference that imagePullSecret", i, s.Name, account.Name)
		}
	}
	return nil
}

// ephemeralMountsOnly does the same for the containers that are added to a running pod.
func ephemeralMountsOnly(account *corev1.ServiceAccount, pod *corev1.Pod) error {
	allowed, ok := mountable(account)
	if !ok {
		return nil
	}
	for _, c := range pod.Spec.EphemeralContainers {
		if err := readsOnly(account.Name, allowed, "ephemeral container "+c.Name, c.Env, c.EnvFrom); err != nil {
			return err
		}
	}
	return nil
}

// readsOnly looks at the variables of one container.
func readsOnly(account string, allowed map[string]bool, who string, env []corev1.EnvVar, from []corev1.EnvFromSource) error {
	const text = "%s with %s referencing secret.secretName=%q is not allowed because service account %s does not reference that secret"
	for _, e := range env {
		if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil && !allowed[e.ValueFrom.SecretKeyRef.Name] {
			return fmt.Errorf(text, who, "envVar "+e.Name, e.ValueFrom.SecretKeyRef.Name, account)
		}
	}
	for _, f := range from {
		if f.SecretRef != nil && !allowed[f.SecretRef.Name] {
			return fmt.Errorf(text, who, "envFrom", f.SecretRef.Name, account)
		}
	}
	return nil
}

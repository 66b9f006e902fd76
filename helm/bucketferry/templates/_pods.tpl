{{/* What every pod has, beside containers and volumes. Takes {root}. */}}
{{- define "bucketferry.podSettings" -}}
serviceAccountName: {{ include "bucketferry.serviceAccountName" .root }}
automountServiceAccountToken: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Image and confinement of every container. Takes {root}. */}}
{{- define "bucketferry.program" -}}
image: {{ include "bucketferry.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  {{- toYaml .root.Values.securityContext | nindent 2 }}
{{- end }}

{{/*
What every container of ours has, beside name, command, ports and probes. Takes {root, role}, where role is task,
exporter, hook, listen or test: only the exporter gets no keys of stores.
*/}}
{{- define "bucketferry.container" -}}
{{- $values := .root.Values -}}
{{ include "bucketferry.program" . }}
env:
  - name: BUCKETFERRY_CONFIG
    value: /etc/bucketferry/bucketferry.yaml
  {{- if $values.database.embedded.enabled }}
  - name: BUCKETFERRY_DATABASE
    value: embedded
  - name: BUCKETFERRY_STATE_DIR
    value: /var/lib/bucketferry
  {{- else if include "bucketferry.databaseSecret" . }}
  - name: BUCKETFERRY_DATABASE
    valueFrom:
      secretKeyRef:
        {{- include "bucketferry.databaseSecret" . | nindent 8 }}
  {{- end }}
  {{- if and (eq .role "exporter") $values.exporter.statusToken.existingSecret }}
  - name: BUCKETFERRY_STATUS_TOKEN
    valueFrom:
      secretKeyRef:
        name: {{ $values.exporter.statusToken.existingSecret }}
        key: {{ $values.exporter.statusToken.secretKey }}
  {{- end }}
  {{- with $values.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- if and (ne .role "exporter") $values.secrets.env }}
envFrom:
  {{- range $values.secrets.env }}
  - secretRef:
      name: {{ . }}
  {{- end }}
{{- end }}
volumeMounts:
  - name: config
    mountPath: /etc/bucketferry
    readOnly: true
  - name: tmp
    mountPath: /tmp
  {{- if $values.database.embedded.enabled }}
  - name: state
    mountPath: /var/lib/bucketferry
  {{- end }}
  {{- if ne .role "exporter" }}
  {{- range $index, $secret := $values.secrets.files }}
  - name: secret-{{ $index }}
    mountPath: {{ $secret.mountPath }}
    readOnly: true
  {{- end }}
  {{- end }}
  {{- if and (eq .role "hook") $values.hook.existingSecret }}
  - name: hook-token
    mountPath: {{ include "bucketferry.hookTokenDir" . }}
    readOnly: true
  {{- end }}
  {{- if and (eq .role "listen") $values.listen.webhooks $values.listen.existingSecret }}
  - name: listen-token
    mountPath: {{ include "bucketferry.listenTokenDir" . }}
    readOnly: true
  {{- end }}
  {{- with $values.volumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "bucketferry.hookTokenDir" -}}
/run/secrets/bucketferry-hook
{{- end }}
{{- define "bucketferry.listenTokenDir" -}}
/run/secrets/bucketferry-listen
{{- end }}

{{/* Name and key of the Secret with the database's address; empty where the configuration says it. Takes {root, role}. */}}
{{- define "bucketferry.databaseSecret" -}}
{{- $database := .root.Values.database }}
{{- $secret := $database.existingSecret }}
{{- $key := $database.secretKey }}
{{- if eq .role "exporter" }}
{{- $secret = default $secret $database.exporter.existingSecret }}
{{- $key = default $key $database.exporter.secretKey }}
{{- end }}
{{- with $secret -}}
name: {{ . }}
key: {{ $key }}
{{- end }}
{{- end }}

{{/* The volumes of the containers above. Takes {root, roles}. */}}
{{- define "bucketferry.volumes" -}}
{{- $values := .root.Values -}}
- name: config
  {{- if $values.existingConfigSecret }}
  secret:
    secretName: {{ $values.existingConfigSecret }}
  {{- else }}
  configMap:
    name: {{ default (printf "%s-config" (include "bucketferry.fullname" .root)) $values.existingConfigMap }}
  {{- end }}
- name: tmp
  emptyDir:
    sizeLimit: {{ $values.tmpSizeLimit }}
{{- if $values.database.embedded.enabled }}
- name: state
  persistentVolumeClaim:
    claimName: {{ default (printf "%s-state" (include "bucketferry.fullname" .root)) $values.database.embedded.existingClaim }}
{{- end }}
{{- if not (has "exporter" .roles) }}
{{- range $index, $secret := $values.secrets.files }}
- name: secret-{{ $index }}
  secret:
    secretName: {{ $secret.secretName }}
    defaultMode: 0440
{{- end }}
{{- end }}
{{- if and (has "hook" .roles) $values.hook.existingSecret }}
- name: hook-token
  secret:
    secretName: {{ $values.hook.existingSecret }}
    defaultMode: 0440
    items:
      - key: {{ $values.hook.secretKey }}
        path: token
{{- end }}
{{- if and (has "listen" .roles) $values.listen.webhooks $values.listen.existingSecret }}
- name: listen-token
  secret:
    secretName: {{ $values.listen.existingSecret }}
    defaultMode: 0440
    items:
      - key: {{ $values.listen.secretKey }}
        path: token
{{- end }}
{{- with $values.volumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The configuration as it is mounted: that of the values, and where hook and listen do. */}}
{{- define "bucketferry.config" -}}
{{- $config := deepCopy (default dict .Values.config) }}
{{- if .Values.hook.enabled }}
{{- $hook := dict "listen" "0.0.0.0:9848" }}
{{- if .Values.hook.existingSecret }}
{{- $_ := set $hook "token_file" (printf "%s/token" (include "bucketferry.hookTokenDir" .)) }}
{{- end }}
{{- $_ := set $config "hook" (merge (default dict $config.hook) $hook) }}
{{- end }}
{{- if and .Values.listen.enabled .Values.listen.webhooks }}
{{- $listen := dict "address" "0.0.0.0:9849" }}
{{- if .Values.listen.existingSecret }}
{{- $_ := set $listen "token_file" (printf "%s/token" (include "bucketferry.listenTokenDir" .)) }}
{{- end }}
{{- $_ := set $config "listen" (merge (default dict $config.listen) $listen) }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{/* Changes with what a Deployment's pods have mounted. */}}
{{- define "bucketferry.configChecksum" -}}
{{- printf "%s\n%s" (include "bucketferry.config" .) (toYaml .Values.files) | sha256sum }}
{{- end }}

# Changes its own code, which is its own copy; the study must not notice.
. attacks/report.sh

for file in attacks/network.sh attacks/report.sh project.yaml README.md; do
  echo 'echo forged' >"$file" && fact "changed in its own copy" "$file"
done
rm -rf attacks/lib notes
mkdir -p .git/hooks attacks/network.d .glovebox/level4/metadata metadata
printf '#!/bin/sh\necho forged\n' >.git/hooks/post-checkout
chmod +x .git/hooks/post-checkout
echo '{"forged": true}' >.glovebox/level4/metadata/manifest.json
echo forged >metadata/overwrite_code.log
echo forged >.gitattributes
mv attacks/make_input.sh attacks/moved.sh
ln -s /etc/passwd attacks/make_input.sh
fact 'ended' yes

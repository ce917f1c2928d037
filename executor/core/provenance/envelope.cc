#include "core/provenance/envelope.h"

#include "core/base/text.h"

namespace glovebox {
namespace {

Error damaged(std::string what) {
  return integrity("the envelope is damaged: " + std::move(what));
}

Result<std::string> bytes_at(JsonObject& object, const char* key) {
  const std::string text = TRY(object.string(key, kMaxEnvelope));
  std::optional<std::string> bytes = base64_decode(text);
  if (!bytes) return invalid("is not base64", object.path_of(key));
  return *std::move(bytes);
}

Result<EnvelopeSignature> signature_of(const Json& json) {
  auto object = TRY(JsonObject::of(json, "signatures"));
  EnvelopeSignature signature;
  signature.signature = TRY(bytes_at(object, "sig"));
  signature.keyid = TRY(object.string_or("keyid", ""));
  return signature;
}

Result<Envelope> envelope_of(const Json& json) {
  auto object = TRY(JsonObject::of(json, ""));
  Envelope envelope;
  envelope.payload = TRY(bytes_at(object, "payload"));
  envelope.payload_type = TRY(object.string("payloadType"));
  const Json* signatures = TRY(object.required("signatures"));
  if (!signatures->is_array() || signatures->empty() || signatures->size() > kMaxSignatures) {
    return invalid("must be a list of 1 to " + std::to_string(kMaxSignatures), "signatures");
  }
  for (const Json& signature : *signatures) envelope.signatures.push_back(TRY(signature_of(signature)));
  return envelope;
}

}  // namespace

std::string dsse_pae(std::string_view type, std::string_view body) {
  std::string out = "DSSEv1 " + std::to_string(type.size()) + " ";
  out += type;
  out += " " + std::to_string(body.size()) + " ";
  out += body;
  return out;
}

std::string envelope_text(const Envelope& envelope) {
  Json json;
  json["payload"] = base64_encode(envelope.payload);
  json["payloadType"] = envelope.payload_type;
  json["signatures"] = Json::array();
  for (const EnvelopeSignature& signature : envelope.signatures) {
    json["signatures"].push_back({{"sig", base64_encode(signature.signature)}, {"keyid", signature.keyid}});
  }
  return dump_json(json) + "\n";
}

Result<Envelope> parse_envelope(std::string_view text, std::string_view name) {
  if (text.size() > kMaxEnvelope) return damaged("it is larger than " + format_bytes(kMaxEnvelope));
  const auto json = parse_json(text, name);
  if (!json) return damaged(json.error().message);
  auto envelope = envelope_of(*json);
  if (!envelope) return damaged(envelope.error().where + " " + envelope.error().message);
  return envelope;
}

Result<Envelope> seal(std::string payload, const PrivateKey& key) {
  const Signature signature = TRY(ed25519_sign(key, dsse_pae(kInTotoType, payload)));
  const PublicKey public_key = TRY(public_key_of(key));
  Envelope envelope;
  envelope.payload_type = kInTotoType;
  envelope.payload = std::move(payload);
  envelope.signatures.push_back({std::string(signature.begin(), signature.end()), key_id(public_key)});
  return envelope;
}

}  // namespace glovebox

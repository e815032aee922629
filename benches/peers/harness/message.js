// The message that every queue in Node sends: as long as Kabar's, and told apart by its id.
const parameter = (name, text) => ({ type: "text", parameter_name: name, text });

exports.message = (number) => ({
  messaging_product: "whatsapp",
  recipient_type: "individual",
  biz_opaque_callback_data: `msg_${String(number).padStart(26, "0")}`,
  to: `+62812${String(number).padStart(8, "0")}`,
  type: "template",
  template: {
    name: "kabar_card_printed_v1",
    language: { code: "id" },
    components: [{
      type: "body",
      parameters: [
        parameter("addressee", "Bapak/Ibu Warga C."),
        parameter("document", "KTP-el"),
        parameter("ref", "K7QX-3M"),
      ],
    }],
  },
});

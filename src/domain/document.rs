//! The papers whose progress Kabar announces; `ktp-el` unless a source says otherwise.

use crate::words;

words! {
    /// A paper that a kecamatan or dinas prints.
    pub enum Document {
        /// The electronic identity card of an adult.
        KtpEl = "ktp-el",
        /// The identity card of a child (kartu identitas anak).
        Kia = "kia",
        /// The family card (kartu keluarga).
        Kk = "kk",
        /// Birth certificate.
        AktaLahir = "akta-lahir",
        /// Death certificate.
        AktaKematian = "akta-kematian",
        /// Marriage certificate of the civil registry.
        AktaKawin = "akta-kawin",
        /// Divorce certificate of the civil registry.
        AktaCerai = "akta-cerai",
        /// Letter of moving (surat keterangan pindah WNI).
        Skpwni = "skpwni",
        /// Printed population data of a person (biodata).
        Biodata = "biodata",
        /// Temporary letter in place of a card (surat keterangan).
        Suket = "suket",
    }
}

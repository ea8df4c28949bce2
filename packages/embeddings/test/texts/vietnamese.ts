import { combine } from './combine.ts';

/** A passage, one of its sentences aside, and a question about it in other words. */
export const passages: readonly { text: string; sentence: string; question: string }[] = [
  {
    sentence:
      'Bảo đảm dự thầu được hoàn trả trong vòng mười bốn ngày sau khi hợp đồng với nhà thầu trúng thầu có hiệu lực.',
    question: 'Khi nào nhà thầu được hoàn trả bảo đảm dự thầu?',
    text: 'Nhà thầu nộp một khoản tiền hoặc thư bảo lãnh của ngân hàng. Bảo đảm dự thầu được hoàn trả trong vòng mười bốn ngày sau khi hợp đồng với nhà thầu trúng thầu có hiệu lực. Khoản tiền này không được trả lại nếu nhà thầu rút hồ sơ sau thời điểm đóng thầu.',
  },
  {
    sentence: 'Tổ chuyên gia gồm ít nhất năm thành viên có chứng chỉ nghiệp vụ.',
    question: 'Tổ chuyên gia phải có bao nhiêu thành viên?',
    text: 'Việc đánh giá cần những người am hiểu. Tổ chuyên gia gồm ít nhất năm thành viên có chứng chỉ nghiệp vụ. Báo cáo đánh giá được gửi cho bên mời thầu để phê duyệt.',
  },
  {
    sentence: 'Chợ nổi Cái Răng họp từ lúc mờ sáng, ghe thuyền treo trái cây trên cây bẹo.',
    question: 'Chợ nổi Cái Răng họp lúc nào?',
    text: 'Miền Tây có nhiều kênh rạch. Chợ nổi Cái Răng họp từ lúc mờ sáng, ghe thuyền treo trái cây trên cây bẹo. Du khách ăn hủ tiếu ngay trên xuồng.',
  },
  {
    sentence: 'Mở thầu được tiến hành công khai, giá của từng hồ sơ được đọc to trước mọi người.',
    question: 'Giá dự thầu có được đọc công khai khi mở thầu không?',
    text: 'Buổi lễ bắt đầu một giờ sau hạn nộp. Mở thầu được tiến hành công khai, giá của từng hồ sơ được đọc to trước mọi người. Biên bản có chữ ký của những người tham dự.',
  },
  {
    sentence: 'Cà phê phin nhỏ giọt chậm, thường uống với sữa đặc và đá viên.',
    question: 'Cà phê phin thường uống với gì?',
    text: 'Buổi sáng ở thành phố bắt đầu trên vỉa hè. Cà phê phin nhỏ giọt chậm, thường uống với sữa đặc và đá viên. Nhiều người đọc báo và trò chuyện hàng giờ.',
  },
  {
    sentence: 'Chỉ định thầu được áp dụng khi phải khắc phục ngay hậu quả của thiên tai.',
    question: 'Chỉ định thầu áp dụng trong trường hợp thiên tai nào?',
    text: 'Đấu thầu rộng rãi là hình thức thông thường. Chỉ định thầu được áp dụng khi phải khắc phục ngay hậu quả của thiên tai. Người quyết định phải giải trình lý do bằng văn bản.',
  },
  {
    sentence: 'Nhà thầu có quyền kiến nghị về kết quả lựa chọn trong thời hạn năm ngày làm việc.',
    question: 'Thời hạn kiến nghị về kết quả lựa chọn nhà thầu là bao lâu?',
    text: 'Kết quả được đăng tải trên hệ thống mạng. Nhà thầu có quyền kiến nghị về kết quả lựa chọn trong thời hạn năm ngày làm việc. Hội đồng tư vấn xem xét và trả lời.',
  },
  {
    sentence: 'Ruộng bậc thang Mù Cang Chải chín vàng vào tháng chín.',
    question: 'Ruộng bậc thang Mù Cang Chải chín vào tháng mấy?',
    text: 'Đường lên vùng cao quanh co theo sườn núi. Ruộng bậc thang Mù Cang Chải chín vàng vào tháng chín. Người Mông gặt lúa bằng liềm và gùi về bản.',
  },
];

/** Some hundreds of passages from the same world and with the same words. */
export const others = combine(
  ['Bên mời thầu', 'Nhà thầu', 'Chủ đầu tư', 'Cơ quan thẩm định', 'Đơn vị tư vấn', 'Người có thẩm quyền'],
  ['phê duyệt', 'đăng tải', 'lưu trữ', 'kiểm tra', 'sửa đổi', 'từ chối', 'ký kết'],
  ['hồ sơ mời thầu', 'bảng giá', 'hợp đồng', 'biên bản nghiệm thu', 'đề xuất kỹ thuật', 'kế hoạch lựa chọn'],
  [
    'trước thời điểm đóng thầu.',
    'trong mười ngày làm việc.',
    'theo văn bản yêu cầu.',
    'trên hệ thống mạng quốc gia.',
  ],
);
